//! `mypaas json`, also `mypaas help json`: what `--json` prints.

/// The shapes, with an example each.
pub(crate) const HELP: &str = include_str!("json.txt");

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use mypaas::api::{Deploy, DiskView, Event, PlanView, Pruned, ServiceDetail, Snapshot};
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    use super::HELP;
    use crate::cli::fixture;

    fn keys(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }

    /// The keys of what the program would print, so that a field that is added to a type is missed here.
    fn printed<T: Serialize + DeserializeOwned>(name: &str, found: &mut BTreeSet<String>) {
        let value: T = fixture::read(name);
        keys(&serde_json::to_value(value).unwrap(), found);
    }

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Recorded(BTreeMap<String, Happened>);

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Happened {
        Deploy(Box<Deploy>),
        Events(Vec<Event>),
    }

    #[test]
    fn every_field_that_is_printed_is_described() {
        let mut found = BTreeSet::new();
        printed::<Snapshot>("snapshots/six_services.json", &mut found);
        printed::<Snapshot>("snapshots/engine_down.json", &mut found);
        printed::<ServiceDetail>("services/hello.json", &mut found);
        printed::<PlanView>("plans/push.json", &mut found);
        printed::<DiskView>("disks/nearly_full.json", &mut found);
        printed::<Pruned>("disks/pruned.json", &mut found);
        for name in ["container_exits", "push_succeeds", "safe_restart_waits"] {
            printed::<Recorded>(&format!("events/{name}.json"), &mut found);
        }
        assert!(found.remove("events"), "that is the recording's own word");
        assert!(found.len() > 100, "the fixtures were read");
        let words: BTreeSet<&str> = HELP.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let missing: Vec<&String> = found.iter().filter(|key| !words.contains(key.as_str())).collect();
        assert!(missing.is_empty(), "not in json.txt: {missing:?}");
    }
}
