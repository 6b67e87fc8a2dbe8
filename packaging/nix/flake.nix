# Builds bproxy with Nix, from the source tree that contains this file, so there is no version or hash to update.
# usage: nix profile install 'github:bproxy/bproxy?dir=packaging/nix'
{
  description = "Connects a code agent to the browser its person already uses";

  # Unstable, because its Rust is new enough for bproxy.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      crate = (builtins.fromTOML (builtins.readFile ../../Cargo.toml)).package;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
    in
    {
      packages = nixpkgs.lib.genAttrs systems (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          default = pkgs.rustPlatform.buildRustPackage {
            pname = crate.name;
            version = crate.version;
            src = ../..;
            cargoLock.lockFile = ../../Cargo.lock;
            env.BPROXY_COMMIT = self.rev or "";
            # The other tests need a browser and a booted machine.
            cargoTestFlags = [ "--lib" ];
            postInstall = ''
              packaging/assets $out/bin/bproxy assets
              cp -r assets/share $out/share
              mkdir $out/share/bproxy
              cp -r extension $out/share/bproxy/extension
              install -Dm644 systemd/bproxy.socket systemd/bproxy.service -t $out/share/systemd/user
              install -Dm644 systemd/bproxy.service.d/sandbox.conf -t $out/share/systemd/user/bproxy.service.d
              substituteInPlace $out/share/systemd/user/bproxy.{socket,service} --replace-fail /usr/bin/bproxy $out/bin/bproxy
            '';
            meta = {
              description = crate.description;
              homepage = crate.homepage;
              license = pkgs.lib.licenses.mit;
              mainProgram = crate.name;
              platforms = systems;
            };
          };
        }
      );
    };
}
