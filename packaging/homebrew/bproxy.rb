# Homebrew's formula. packaging/recipes fills in the hash, which is not known before the release.
class Bproxy < Formula
  desc "Connects a code agent to the browser its person already uses"
  homepage "https://github.com/bproxy/bproxy"
  url "https://github.com/bproxy/bproxy/releases/download/v0.1.0/bproxy-0.1.0.crate"
  sha256 "@CRATE_SHA256@"
  license "MIT"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    system bin/"bproxy", "man", man
    bash_completion.install "packaging/completions/bproxy.bash" => "bproxy"
    zsh_completion.install "packaging/completions/_bproxy"
    fish_completion.install "packaging/completions/bproxy.fish"
    pkgshare.install "extension"
  end

  def caveats
    <<~EOS
      The extension for the browser: bproxy extension install
      Run either `brew services start bproxy` or `bproxy service install --now`: both need the same port.
    EOS
  end

  service do
    run [opt_bin/"bproxy", "daemon"]
    # launchd listens on the port and passes the socket under this name; on Linux the daemon binds the port itself.
    sockets bproxy: "tcp://127.0.0.1:9615"
    keep_alive crashed: true
    log_path var/"log/bproxy.log"
    error_log_path var/"log/bproxy.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/bproxy --version")
    ENV["BPROXY_HOME"] = testpath/"state"
    assert_match '"running":false', shell_output("#{bin}/bproxy service status")
  end
end
