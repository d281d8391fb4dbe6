//! Variables of a server's environment, without their values.

use mypaas::api::VariableView;

use super::paint::Style;
use super::table::{Cell, Table};
use super::words;

pub(crate) fn table(all: &[VariableView]) -> Table {
    let mut table = Table::new(&["VARIABLE", "VALUE", "USED BY"]);
    for view in all {
        let value = if view.is_set { Cell::new(Style::Plain, "set") } else { Cell::new(Style::Bad, "missing") };
        let users = if view.used_by.is_empty() { words::NONE.to_owned() } else { words::names(&view.used_by) };
        table.row([(&view.name).into(), value, users.into()]);
    }
    table
}
