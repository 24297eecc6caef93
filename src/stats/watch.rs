//! What becomes of the suggestions shown in one document: accepted or not, and still there later.
//! No clock is read here; times are handed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::acceptance::{Taken, accepted};
use super::counts::{Event, How};
use super::standing::Standing;
use crate::text::TextEdit;

/// How long after it was accepted a text is looked at again.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How many accepted texts are followed at once; beyond them the oldest is forgotten.
const MOST_FOLLOWED: usize = 64;

/// One document's suggestion, and what was accepted in it of late.
#[derive(Debug, Default)]
pub struct Watch {
    shown: Option<Suggestion>,
    followed: VecDeque<Followed>,
}

/// A suggestion as the user sees it.
#[derive(Debug)]
struct Suggestion {
    /// Where it begins.
    start: usize,
    /// What is offered there, the best first.
    texts: Vec<String>,
    /// How many bytes of it stand in the document already.
    taken: String,
    /// How it was accepted so far.
    how: Option<How>,
    /// Characters accepted so far.
    accepted: usize,
}

#[derive(Debug)]
struct Followed {
    since: Instant,
    standing: Standing,
}

impl Watch {
    /// A request for the place `at` was answered with `texts`, the best first; none means that
    /// there is nothing to suggest. Each text is what is added to the document there: less than the
    /// answer's where that replaces what follows by itself.
    pub fn answered(
        &mut self,
        texts: &[&str],
        at: usize,
        latency: Duration,
        from_cache: bool,
    ) -> Vec<Event<'static>> {
        let Some(first) = texts.first().filter(|first| !first.is_empty()) else {
            return vec![Event::Empty { from_cache }];
        };
        let again = self.shown.as_mut().is_some_and(|shown| shown.goes_on_with(texts, at));
        let mut events = Vec::new();
        if !again {
            events.extend(self.end());
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            let taken = String::new();
            self.shown = Some(Suggestion { start: at, texts, taken, how: None, accepted: 0 });
        }
        let (characters, lines) = (first.chars().count(), first.trim().lines().count().max(1));
        events.push(Event::Shown { characters, lines, latency, from_cache, again });
        events
    }

    /// The document was edited; `after` is its text now. Edits come in order, each relative to the
    /// text before it; of several at once [`crate::text::diff::replacement`] makes one.
    pub fn edited(&mut self, edit: &TextEdit, after: &str, now: Instant) -> Vec<Event<'static>> {
        let mut events = self.due(now);
        self.followed.iter_mut().for_each(|followed| followed.standing.edit(edit));
        let Some(shown) = &mut self.shown else { return events };
        match shown.edited(edit, after) {
            Fate::Open => {}
            Fate::Over => events.extend(self.end()),
            Fate::Accepted { text, at, over } => {
                if self.followed.len() >= MOST_FOLLOWED {
                    self.followed.pop_front();
                }
                let standing = Standing::new(&text, at);
                self.followed.push_back(Followed { since: now, standing });
                if over {
                    events.extend(self.end());
                }
            }
        }
        events
    }

    /// What is left of the texts that were accepted [`PATIENCE`] ago or earlier. An edit asks for
    /// it before it counts, so that nobody need wake up in time.
    pub fn due(&mut self, now: Instant) -> Vec<Event<'static>> {
        let mut events = Vec::new();
        let is_due =
            |followed: &mut Followed| now.saturating_duration_since(followed.since) >= PATIENCE;
        while let Some(Followed { standing, .. }) = self.followed.pop_front_if(is_due) {
            let (characters, standing) = (standing.characters(), standing.standing());
            events.push(Event::Retained { characters, standing });
        }
        events
    }

    /// The document is closed, or the program ends: the suggestion is over, and what was accepted
    /// too late to be looked at again is not counted as that.
    pub fn close(mut self, now: Instant) -> Vec<Event<'static>> {
        let mut events = self.due(now);
        events.extend(self.end());
        events
    }

    /// The suggestion is over; how it was accepted, if it was.
    fn end(&mut self) -> Option<Event<'static>> {
        let shown = self.shown.take()?;
        let how = shown.how.or_else(|| shown.is_complete().then_some(How::Typed))?;
        let typed = shown.taken.chars().count();
        let characters = if how == How::Typed { typed } else { shown.accepted };
        Some(Event::Accepted { how, characters })
    }
}

/// What an edit made of a suggestion.
enum Fate {
    /// It is still there, perhaps elsewhere or shorter.
    Open,
    /// It is gone, or all of it was typed.
    Over,
    /// Some of it was accepted.
    Accepted {
        /// What.
        text: String,
        /// Where it stands.
        at: usize,
        /// Whether nothing is left to accept.
        over: bool,
    },
}

impl Suggestion {
    /// What is left of the texts that begin as what was taken.
    fn rests(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().filter_map(|text| text.strip_prefix(&*self.taken))
    }

    fn is_complete(&self) -> bool {
        self.rests().any(str::is_empty)
    }

    /// Whether an answer for `at` shows the rest of it, perhaps longer; then that is what is shown.
    fn goes_on_with(&mut self, texts: &[&str], at: usize) -> bool {
        let first = texts.first().copied().unwrap_or_default();
        let goes_on = at == self.start + self.taken.len()
            && self.rests().any(|rest| !rest.is_empty() && first.starts_with(rest));
        if goes_on {
            self.texts = texts.iter().map(|text| format!("{}{text}", self.taken)).collect();
        }
        goes_on
    }

    fn edited(&mut self, edit: &TextEdit, after: &str) -> Fate {
        let at = self.start + self.taken.len();
        let found = self.rests().find_map(|rest| {
            let taken = accepted(rest, at, edit, after)?;
            let len = match taken {
                Taken::Typed(len) | Taken::Part(len) => len,
                Taken::Whole => rest.len(),
            };
            Some((taken, rest.get(..len)?.to_owned()))
        });
        if let Some((taken, text)) = found {
            self.taken.push_str(&text);
            return self.took(taken, text, at);
        }
        let deleted_back =
            edit.text.is_empty() && edit.span.end == at && edit.span.start >= self.start;
        if deleted_back && self.taken.is_char_boundary(edit.span.start - self.start) {
            self.taken.truncate(edit.span.start - self.start);
            return Fate::Open;
        }
        if edit.span.end < self.start {
            self.start = self.start - edit.span.len() + edit.text.len();
            return Fate::Open;
        }
        if edit.span.start > at { Fate::Open } else { Fate::Over }
    }

    /// `text` of it now stands at `at`.
    fn took(&mut self, taken: Taken, text: String, at: usize) -> Fate {
        let over = self.is_complete();
        let how = match taken {
            Taken::Typed(_) if over => return Fate::Over,
            Taken::Typed(_) => return Fate::Open,
            Taken::Part(_) => How::Part,
            Taken::Whole => How::Whole,
        };
        self.how.get_or_insert(how);
        self.accepted += text.chars().count();
        Fate::Accepted { text, at, over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::diff;

    /// A document and its watch; the clock stands unless it is moved.
    struct Editor {
        text: String,
        watch: Watch,
        now: Instant,
    }

    impl Editor {
        fn new(text: &str) -> Self {
            Self { text: text.to_owned(), watch: Watch::default(), now: Instant::now() }
        }

        /// Is answered with `texts` where `|` would stand: at the end of `before`.
        fn answer(&mut self, texts: &[&str], before: &str) -> Vec<Event<'static>> {
            let at = self.text.find(before).unwrap() + before.len();
            self.watch.answered(texts, at, Duration::from_millis(5), false)
        }

        /// Becomes `text`, as the smallest edit says it.
        fn becomes(&mut self, text: &str) -> Vec<Event<'static>> {
            let edit = diff::replacement(&self.text, text).unwrap();
            text.clone_into(&mut self.text);
            self.watch.edited(&edit, text, self.now)
        }

        fn wait(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }
    }

    fn again(events: &[Event<'_>]) -> Option<bool> {
        events.iter().find_map(|event| match event {
            Event::Shown { again, .. } => Some(*again),
            _ => None,
        })
    }

    fn taken(how: How, characters: usize) -> Event<'static> {
        Event::Accepted { how, characters }
    }

    #[test]
    fn a_suggestion_taken_in_one_go_is_whole_and_looked_at_after_thirty_seconds() {
        let mut editor = Editor::new("x = \n");
        let events = editor.answer(&["sum(y)"], "x = ");
        assert_eq!(again(&events), Some(false));
        assert_eq!(editor.becomes("x = sum(y)\n"), [taken(How::Whole, 6)]);
        editor.wait(29);
        assert_eq!(editor.becomes("x = sum(yy)\n"), []);
        editor.wait(1);
        // What stood until now counts, not what this edit makes of it.
        let retained = Event::Retained { characters: 6, standing: 6 };
        assert_eq!(editor.becomes("z\n"), [retained]);
        editor.wait(60);
        assert_eq!(editor.watch.close(editor.now), []);
    }

    #[test]
    fn the_first_letters_may_be_typed_and_the_rest_shown_again() {
        let mut editor = Editor::new("");
        editor.answer(&["total = 1"], "");
        assert_eq!(editor.becomes("t"), []);
        assert_eq!(again(&editor.answer(&["otal = 1"], "t")), Some(true));
        assert_eq!(editor.becomes("to"), []);
        assert_eq!(editor.becomes("t"), [], "taken back");
        assert_eq!(again(&editor.answer(&["otal = 1 + 2"], "t")), Some(true), "longer now");
        assert_eq!(editor.becomes("total = 1 + 2"), [taken(How::Whole, 12)]);
    }

    #[test]
    fn word_by_word_is_one_acceptance_in_part() {
        let mut editor = Editor::new("\n");
        editor.answer(&["let total = 1;"], "");
        assert_eq!(editor.becomes("let \n"), []);
        assert_eq!(again(&editor.answer(&["total = 1;"], "let ")), Some(true));
        assert_eq!(editor.becomes("let total\n"), []);
        assert_eq!(editor.becomes("let total?\n"), [taken(How::Part, 9)]);
        editor.wait(30);
        let stands = |characters| Event::Retained { characters, standing: characters };
        assert_eq!(editor.watch.due(editor.now), [stands(3), stands(5)]);
    }

    #[test]
    fn typed_out_by_keys_is_told_apart_and_typed_past_is_nothing() {
        let mut editor = Editor::new("");
        editor.answer(&["ab("], "");
        assert_eq!(editor.becomes("a"), []);
        assert_eq!(editor.becomes("ab"), []);
        assert_eq!(editor.becomes("ab("), [taken(How::Typed, 3)]);
        editor.answer(&["xyz"], "ab(");
        assert_eq!(editor.becomes("ab(x"), []);
        assert_eq!(editor.becomes("ab(xq"), []);
        assert_eq!(editor.becomes("ab(xyz"), [], "too late");
    }

    #[test]
    fn any_of_several_suggestions_can_be_taken() {
        let mut editor = Editor::new("a\n");
        editor.answer(&["first()", "second()", "secret"], "a");
        assert_eq!(editor.becomes("as\n"), []);
        assert_eq!(editor.becomes("asecond()\n"), [taken(How::Whole, 7)]);
    }

    #[test]
    fn edits_elsewhere_move_it_and_another_answer_ends_it() {
        let mut editor = Editor::new("import a\n\nx = \n");
        editor.answer(&["a.f()\na.g()"], "x = ");
        assert_eq!(editor.becomes("import a\nimport b\n\nx = \n"), []);
        assert_eq!(editor.becomes("import a\nimport b\n\nx = \nend\n"), []);
        assert_eq!(editor.becomes("import a\nimport b\n\nx = a.f()\nend\n"), []);
        let events = editor.answer(&["import c"], "import b\n");
        assert_eq!((events[0], again(&events)), (taken(How::Part, 5), Some(false)));
    }

    #[test]
    fn nothing_to_suggest_is_counted_and_changes_nothing() {
        let mut editor = Editor::new("x");
        editor.answer(&["yz"], "x");
        assert_eq!(editor.answer(&[], "x"), [Event::Empty { from_cache: false }]);
        assert_eq!(editor.answer(&[""], "x"), [Event::Empty { from_cache: false }]);
        assert_eq!(editor.becomes("xyz"), [taken(How::Whole, 2)]);
    }

    #[test]
    fn accepted_texts_that_are_followed_stay_bounded() {
        let mut editor = Editor::new("");
        for _ in 0..2 * MOST_FOLLOWED {
            let before = editor.text.clone();
            editor.answer(&["ab"], &before);
            assert_eq!(editor.becomes(&format!("{before}ab")), [taken(How::Whole, 2)]);
        }
        editor.wait(30);
        assert_eq!(editor.watch.close(editor.now).len(), MOST_FOLLOWED);
    }
}
