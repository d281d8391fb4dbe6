//! Any bytes as the body of a request: no panic, what is read is written and read again as the same, and a secret is not
//! shown.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use mypaas::api::{CancelRequest, DeployRequest, PinRequest, PlanRequest, PruneRequest, VariableChange};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    again::<DeployRequest>(bytes);
    again::<PlanRequest>(bytes);
    again::<CancelRequest>(bytes);
    again::<PinRequest>(bytes);
    again::<PruneRequest>(bytes);
    again::<VariableChange>(bytes);
    if let Ok(VariableChange { name, value: Some(value) }) = serde_json::from_slice(bytes)
        && value.len() > 40
        && !name.as_str().contains(&value)
    {
        let change = VariableChange { name, value: Some(value.clone()) };
        assert!(!format!("{change:?}").contains(&value));
    }
});

fn again<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return };
    let written = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<T>(&written).unwrap(), read);
}
