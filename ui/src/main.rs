//! The `mypaas` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mypaas_ui::cli::main(std::env::args_os())
}
