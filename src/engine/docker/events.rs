//! What happens to the instance's containers, as Docker tells it.

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;

use super::error::Asked;
use super::{DockerEngine, QUICK, label};
use crate::engine::Result;
use crate::name::ContainerName;

/// What changes how a container is seen. Commands in containers, such as health checks, tell of themselves too, each
/// time: of these only the outcome matters.
const KINDS: [&str; 10] =
    ["create", "start", "restart", "die", "oom", "destroy", "rename", "update", "pause", "health_status"];

impl DockerEngine {
    pub(super) async fn follow_events(&self) -> Result<BoxStream<'static, Result<ContainerName>>> {
        // The stream begins without a word: whether anybody answers is seen by this.
        let asked = Asked { verb: "ask", what: "engine at", name: &self.endpoint };
        self.call(asked, QUICK, self.docker.ping()).await?;
        let filters = [
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![self.own_label(), label::service_filter()]),
            ("event".to_owned(), KINDS.map(str::to_owned).to_vec()),
        ];
        // The request is sent when somebody first asks for an event; what happens until then is not to be missed.
        let now = Timestamp::now();
        let since = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters.into()).build();
        let endpoint = self.endpoint.clone();
        let events = self.docker.events(Some(options)).filter_map(move |event| {
            let told = match event {
                Ok(event) => name_of(&event).map(Ok),
                Err(error) => {
                    let asked = Asked { verb: "follow", what: "events of the engine at", name: &endpoint };
                    Some(Err(asked.explain(error, &endpoint)))
                }
            };
            std::future::ready(told)
        });
        Ok(events.boxed())
    }
}

fn name_of(event: &EventMessage) -> Option<ContainerName> {
    let attributes = event.actor.as_ref()?.attributes.as_ref()?;
    Some(ContainerName::from_engine(attributes.get("name")?))
}
