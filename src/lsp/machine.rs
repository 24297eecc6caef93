//! How the machine is: on its battery, or busy with other things. Looked at now and then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use starship_battery::{Manager, State};

use crate::task::suggest::plan::Machine;

/// What was seen counts for so long.
const FRESH: Duration = Duration::from_secs(15);

/// What was seen last, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    when: Option<Instant>,
    machine: Machine,
}

impl Watch {
    /// How the machine was when it was last looked at. Where that is long ago, it is looked at
    /// again, but not waited for: some batteries take their time.
    pub(super) fn last(&self) -> Machine {
        let mut seen = self.seen();
        if seen.when.is_none_or(|when| when.elapsed() > FRESH) {
            seen.when = Some(Instant::now());
            let watch = self.clone();
            tokio::task::spawn_blocking(move || {
                let machine = Machine { on_battery: on_battery(), busy: busy() };
                watch.seen().machine = machine;
            });
        }
        seen.machine
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether some battery is being emptied. A machine that does not tell has none.
fn on_battery() -> bool {
    let batteries = Manager::new().and_then(|manager| manager.batteries());
    let mut states = batteries.into_iter().flatten().flatten().map(|battery| battery.state());
    states.any(|state| state == State::Discharging)
}

/// Whether more wants to run than there are processors for, one task of this program aside. Known
/// on Linux only.
fn busy() -> bool {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let read = std::fs::read_to_string("/proc/loadavg");
    let load = read.ok().and_then(|load| load.split(' ').next()?.parse::<f64>().ok());
    load.is_some_and(|load| load >= processors as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_seen_a_moment_ago_is_not_looked_for_again() {
        let machine = Machine { on_battery: true, busy: true };
        let watch = Watch::default();
        *watch.seen() = Seen { when: Some(Instant::now()), machine };
        assert_eq!(watch.last(), machine);
        assert_eq!(watch.last(), machine);
        let fresh = Watch::default();
        fresh.last();
        assert!(fresh.seen().when.is_some(), "it is looked at, but not waited for");
    }
}
