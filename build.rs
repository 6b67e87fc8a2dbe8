//! Builds anew when the embedded extension gains or loses a file, which the compiler alone does not see.

fn main() {
    println!("cargo::rerun-if-changed=extension");
}
