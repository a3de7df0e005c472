//! `bindgen MODULE.wasm OUT_DIR`: what `wasm-bindgen --target bundler` does, without its test runner and server.

use std::env::args_os;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let [module, out] = args_os().skip(1).collect::<Vec<_>>().try_into().expect("usage: bindgen MODULE.wasm OUT_DIR");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).typescript(true).remove_producers_section(true);
    match bindgen.bundler(true).and_then(|bindgen| bindgen.generate(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
