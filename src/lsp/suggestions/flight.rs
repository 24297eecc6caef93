//! A suggestion in the making. It outlives the request that asked for it: whoever types what it
//! says, and asks again, gets it without the model beginning anew.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::document::Document;
use crate::task::suggest::place::{self, Cursor, Spot};

/// How long it goes on when nobody waits for it: the next key brings the next request, in some
/// editors only after a wait of theirs (200 ms in Neovim).
const ALONE: Duration = Duration::from_millis(300);
/// More was not typed since it began, in bytes.
const MOST_TYPED: usize = 256;

/// How a flight ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// What came of it is known now.
    Known,
    /// It was ended.
    Ended,
    /// It failed; why.
    Failed(String),
}

/// What is said and what is typed meanwhile.
#[derive(Default)]
struct Words {
    said: String,
    typed: String,
}

/// A suggestion in the making.
pub(crate) struct Flight {
    uri: String,
    document: Document,
    offset: usize,
    spot: Spot,
    by_hand: bool,
    words: Mutex<Words>,
    arrival: watch::Sender<Option<Arrival>>,
    /// How many wait for it.
    waiting: watch::Sender<usize>,
    ended: watch::Sender<bool>,
}

impl Flight {
    /// A flight for `document` at `offset`; `None` where that is no place.
    pub(crate) fn new(
        uri: &str,
        document: Document,
        offset: usize,
        by_hand: bool,
    ) -> Option<Arc<Self>> {
        let spot = Spot::of(Cursor { document: uri, text: &document.text, offset })?;
        Some(Arc::new(Self {
            uri: uri.to_owned(),
            document,
            offset,
            spot,
            by_hand,
            words: Mutex::default(),
            arrival: watch::Sender::new(None),
            waiting: watch::Sender::new(0),
            ended: watch::Sender::new(false),
        }))
    }

    /// Starts it: `work` makes what comes of it known. It ends early when it is told to, or, where
    /// it was `asked` for, when nobody has waited for it for a while.
    pub(crate) fn start(
        self: &Arc<Self>,
        asked: bool,
        work: impl Future<Output = Arrival> + Send + 'static,
    ) {
        let flight = Arc::clone(self);
        tokio::spawn(async move {
            // Also tells those who wait if the work panics.
            let mut landing = Landing { flight: &flight, arrival: Arrival::Ended };
            landing.arrival = tokio::select! {
                biased;
                () = flight.told_to_end() => Arrival::Ended,
                () = flight.left_alone(), if asked => Arrival::Ended,
                arrival = work => arrival,
            };
        });
    }

    /// The document it is for.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Where in it.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Its place.
    pub(crate) fn spot(&self) -> &Spot {
        &self.spot
    }

    /// Takes note of what the model has said so far; it ends where that is not what was typed.
    pub(crate) fn say(&self, said: &str) {
        let mut words = self.words();
        said.clone_into(&mut words.said);
        if !place::agrees(&words.said, &words.typed) {
            self.end();
        }
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Whether nobody can want it any more who now wants `newer`: one for the same document, or one
    /// that was asked for by hand elsewhere and takes long.
    pub(crate) fn gives_way_to(&self, newer: &Self) -> bool {
        self.uri == newer.uri || self.by_hand
    }

    /// Whether it goes on.
    pub(crate) fn is_on(&self) -> bool {
        !*self.ended.borrow() && self.arrival.borrow().is_none()
    }

    /// Whether its answer may be the one wanted at `cursor`.
    pub(crate) fn leads_to(&self, cursor: Cursor<'_>, by_hand: bool) -> bool {
        let enough = self.by_hand || !by_hand;
        let typed = || self.spot.typed(cursor, MOST_TYPED);
        enough && self.is_on() && typed().is_some_and(|typed| self.agrees(typed))
    }

    /// Whether its answer may be wanted for a document with this text.
    pub(crate) fn fits(&self, document: &str, text: Option<&str>) -> bool {
        document != self.uri
            || text
                .and_then(|text| place::inserted(&self.document.text, self.offset, text))
                .is_some_and(|typed| self.agrees(typed))
    }

    /// Whether a document with this text may still become the one it is for, or go on from it.
    pub(crate) fn may_come(&self, document: &str, text: Option<&str>) -> bool {
        let coming = |text: &str| {
            let (before, after) = self.document.text.split_at(self.offset);
            let same = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            let end = after.bytes().rev().zip(text.bytes().rev());
            // All of the text stands in it, but for what is yet to be accepted.
            same + end.take_while(|(a, b)| a == b).count() >= text.len()
        };
        self.fits(document, text) || text.is_some_and(coming)
    }

    /// Waits for what comes of it.
    pub(crate) async fn arrival(&self) -> Arrival {
        let _waiting = Waiting::new(self);
        let mut arrival = self.arrival.subscribe();
        let arrived = arrival.wait_for(Option::is_some).await;
        arrived.ok().and_then(|arrival| arrival.clone()).unwrap_or(Arrival::Ended)
    }

    /// Whether what is said may still be what was typed; if so, it has to stay so.
    fn agrees(&self, typed: &str) -> bool {
        let mut words = self.words();
        let agrees = place::agrees(&words.said, typed);
        if agrees {
            typed.clone_into(&mut words.typed);
        }
        agrees
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn told_to_end(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    async fn left_alone(&self) {
        let mut waiting = self.waiting.subscribe();
        loop {
            let _ = waiting.wait_for(|waiting| *waiting == 0).await;
            let somebody = waiting.wait_for(|waiting| *waiting > 0);
            if tokio::time::timeout(ALONE, somebody).await.is_err() {
                return;
            }
        }
    }
}

/// Tells those who wait, however the work ends.
struct Landing<'f> {
    flight: &'f Flight,
    arrival: Arrival,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.flight.arrival.send_replace(Some(self.arrival.clone()));
    }
}

struct Waiting<'f>(&'f Flight);

impl<'f> Waiting<'f> {
    fn new(flight: &'f Flight) -> Self {
        flight.waiting.send_modify(|waiting| *waiting += 1);
        Self(flight)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("a.txt".into(), None, 1, text.to_owned())
    }

    fn flight(marked: &str) -> Arc<Flight> {
        let offset = marked.find('ˇ').unwrap();
        Flight::new("a", document(&marked.replacen('ˇ', "", 1)), offset, false).unwrap()
    }

    #[tokio::test]
    async fn whoever_waits_hears_how_it_ended_even_of_a_panic() {
        let known = flight("x = ˇ\n");
        known.start(true, async { Arrival::Known });
        assert_eq!(known.arrival().await, Arrival::Known);
        let panics = flight("x = ˇ\n");
        panics.start(true, async { panic!("asked for") });
        assert_eq!(panics.arrival().await, Arrival::Ended);
        let ended = flight("x = ˇ\n");
        ended.start(true, std::future::pending());
        ended.end();
        assert_eq!(ended.arrival().await, Arrival::Ended);
    }

    #[tokio::test]
    async fn it_goes_on_while_somebody_waits_and_ends_a_moment_after() {
        let asked = flight("x = ˇ\n");
        asked.start(true, std::future::pending());
        assert!(tokio::time::timeout(ALONE * 2, asked.arrival()).await.is_err());
        assert!(asked.is_on(), "somebody waited");
        let mut arrival = asked.arrival.subscribe();
        let ended = arrival.wait_for(Option::is_some);
        assert!(tokio::time::timeout(Duration::from_secs(20), ended).await.is_ok());
        let ahead = flight("x = ˇ\n");
        ahead.start(false, std::future::pending());
        tokio::time::sleep(ALONE * 2).await;
        assert!(ahead.is_on(), "nobody waits for it yet");
    }

    #[test]
    fn it_fits_as_long_as_what_is_typed_may_be_what_it_says() {
        let flight = flight("x = ˇ\n");
        assert!(flight.fits("a", Some("x = t\n")) && flight.fits("b", Some("y")));
        flight.say("total + 1");
        assert!(flight.fits("a", Some("x = tot\n")));
        assert!(!flight.fits("a", Some("x = u\n")) && !flight.fits("a", None));
        let cursor = |text| Cursor { document: "a", text, offset: 6 };
        assert!(flight.leads_to(cursor("x = to\n"), false));
        assert!(!flight.leads_to(cursor("x = to\n"), true), "who asks by hand wants more");
        assert!(!flight.leads_to(cursor("x = uo\n"), false));
    }

    #[test]
    fn it_ends_when_it_says_something_else_than_was_typed_before() {
        let flight = flight("x = ˇ\n");
        let cursor = |text| Cursor { document: "a", text, offset: 5 };
        assert!(flight.leads_to(cursor("x = t\n"), false), "nothing is said yet");
        flight.say("to");
        assert!(flight.is_on());
        let other = super::tests::flight("x = ˇ\n");
        assert!(other.fits("a", Some("x = u\n")));
        other.say("to");
        assert!(!other.is_on());
    }

    #[test]
    fn one_that_looks_ahead_waits_for_its_document_to_come() {
        let ahead = flight("x = total\nˇ\n");
        assert!(
            ahead.may_come("a", Some("x = to\n")) && ahead.may_come("a", Some("x = total\n\n"))
        );
        assert!(ahead.may_come("a", Some("x = total\ny\n")));
        assert!(!ahead.may_come("a", Some("x = tu\n")) && !ahead.may_come("a", None));
    }
}
