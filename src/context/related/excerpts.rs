//! Chosen items → excerpts, file by file, with the reasons; and what was left out.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::choose::{Chosen, Offer};
use super::files::inverse_frequency;
use super::near::Near;
use super::render::Shown;
use super::sound::{self, Sound};
use super::{Ranking, Related};
use crate::context::{Dropped, Excerpt, Kind, Project, tokens};
use crate::workspace::index::FileEntry;

/// The most that is told to have been left out.
const MAX_DROPPED: usize = 20;
/// So many words are named that make an item alike.
const WORDS: usize = 3;

/// Excerpts of the chosen `offers` within the budget, each of one file, and the best of the others.
/// `reasons` is for each offer, empty for those that are alike.
pub(super) fn excerpts(
    ranking: &Ranking<'_>,
    offers: &[Offer<'_>],
    reasons: &[Arc<str>],
    mut chosen: Vec<Chosen>,
    project: Project<'_>,
) -> Related {
    let mut files: Vec<OfFile<'_>> = Vec::new();
    for one in &chosen {
        let file = offers[one.offer].file;
        if !files.iter().any(|known| Arc::ptr_eq(known.file, file)) {
            files.push(OfFile { file, source: (project.source)(&file.path), excerpt: None });
        }
    }
    let mut dropped: Vec<Dropped> = Vec::new();
    let mut changed: Vec<usize> = (0..files.len()).collect();
    loop {
        for at in changed.drain(..) {
            let excerpt =
                files[at].excerpt(ranking, offers, reasons, &chosen, project, &mut dropped);
            files[at].excerpt = excerpt.filter(|excerpt| !excerpt.text.is_empty());
        }
        let excerpts = files.iter().filter_map(|file| file.excerpt.as_ref());
        let total: usize = excerpts.map(|excerpt| excerpt.tokens).sum();
        if total <= ranking.budget {
            break;
        }
        // The estimates before the choice were too low: the last one chosen goes.
        let Some(last) = chosen.pop() else { break };
        let offer = &offers[last.offer];
        changed.extend(files.iter().position(|file| Arc::ptr_eq(file.file, offer.file)));
        dropped.push(not_chosen(offer, &reasons[last.offer]));
    }
    dropped.extend(unchosen(offers, reasons, &chosen));
    dropped.truncate(MAX_DROPPED);
    let mut excerpts: Vec<Excerpt> = files.into_iter().filter_map(|file| file.excerpt).collect();
    excerpts.sort_by(|a, b| {
        (a.kind).cmp(&b.kind).then(a.score.total_cmp(&b.score)).then_with(|| a.path.cmp(&b.path))
    });
    Related { excerpts, dropped }
}

/// What is shown of one file.
struct OfFile<'a> {
    file: &'a Arc<FileEntry>,
    source: Option<Arc<str>>,
    excerpt: Option<Excerpt>,
}

impl OfFile<'_> {
    fn excerpt(
        &self,
        ranking: &Ranking<'_>,
        offers: &[Offer<'_>],
        reasons: &[Arc<str>],
        chosen: &[Chosen],
        project: Project<'_>,
        dropped: &mut Vec<Dropped>,
    ) -> Option<Excerpt> {
        let chosen: Vec<&Chosen> =
            chosen.iter().filter(|one| Arc::ptr_eq(offers[one.offer].file, self.file)).collect();
        let items = to_show(chosen.iter().map(|one| &offers[one.offer]));
        let symbols = || items.iter().filter_map(|one| self.file.items.get(one.item));
        let start = symbols().map(|symbol| symbol.line).min()?;
        let end = symbols().map(|symbol| symbol.end_line).max()?;
        let Sound { text, left_out } = sound::text(self.file, &items, self.source.as_deref());
        for one in chosen.iter().filter(|one| left_out.contains(&offers[one.offer].item)) {
            let offer = &offers[one.offer];
            dropped.push(told(offer, &reasons[one.offer], "does not parse by itself"));
        }

        let named = chosen.iter().map(|one| &reasons[one.offer]).find(|reason| !reason.is_empty());
        let relation = ranking.files.iter().find(|one| Arc::ptr_eq(one.file, self.file));
        let enclosing = ranking.near.owner.is_some_and(|owner| {
            symbols().all(|symbol| symbol.name == owner || symbol.owner.as_deref() == Some(owner))
        });
        let kind = match relation {
            _ if enclosing => Kind::EnclosingType,
            Some(file) if file.imported > 0.0 => Kind::Imported,
            Some(file) if file.recent > 0.0 => Kind::Recent,
            _ => Kind::Ranked,
        };
        let reason = match named {
            Some(reason) => reason.to_string(),
            None => alike(self.file, &items, &ranking.near, project),
        };
        Some(Excerpt {
            kind,
            path: self.file.path.to_path_buf(),
            start_line: start + 1,
            end_line: end.max(start) + 1,
            tokens: cost_of_path(&self.file.path) + tokens::estimate(&text),
            text,
            reason,
            score: chosen.iter().map(|one| one.score).fold(0.0, f32::max),
        })
    }
}

/// The items of `offers`, each once, with as much of it as they offer together.
fn to_show<'o>(offers: impl Iterator<Item = &'o Offer<'o>>) -> Vec<Shown> {
    let mut out: Vec<Shown> = Vec::new();
    for offer in offers {
        let at = out.iter().position(|one| one.item == offer.item).unwrap_or_else(|| {
            out.push(Shown::of(offer.item, offer.form));
            out.len() - 1
        });
        let one = &mut out[at];
        one.form = one.form.max(offer.form);
        one.statements.extend(offer.statement.map(|statement| statement.span));
    }
    for one in &mut out {
        one.statements.sort_unstable_by_key(|span| span.start);
    }
    out
}

/// What a file's path costs, with what marks it as one.
pub(super) fn cost_of_path(path: &Path) -> usize {
    2 + tokens::estimate(&path.to_string_lossy())
}

/// The words near the cursor that say most and that the items share.
fn alike(file: &FileEntry, items: &[Shown], near: &Near<'_>, project: Project<'_>) -> String {
    let mut shared: Vec<(f32, &str)> = near
        .terms
        .iter()
        .filter(|(term, _)| {
            items.iter().any(|one| {
                file.terms_of(one.item).binary_search_by_key(*term, |(known, _)| *known).is_ok()
            })
        })
        .map(|(term, weight)| {
            (weight * inverse_frequency(project, *term), project.index.spelling(*term))
        })
        .collect();
    shared.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let words: Vec<&str> = shared.into_iter().take(WORDS).map(|(_, word)| word).collect();
    if words.is_empty() { "likely next".to_owned() } else { format!("alike: {}", words.join(", ")) }
}

fn not_chosen(offer: &Offer<'_>, reason: &str) -> Dropped {
    told(offer, reason, "others show more for their size")
}

fn told(offer: &Offer<'_>, reason: &str, cause: &'static str) -> Dropped {
    let symbol = offer.symbol();
    Dropped {
        path: offer.file.path.to_path_buf(),
        start_line: symbol.line + 1,
        end_line: symbol.end_line.max(symbol.line) + 1,
        tokens: offer.tokens,
        reason: if reason.is_empty() { "alike".to_owned() } else { reason.to_owned() },
        cause,
    }
}

/// Offers of items of which nothing is shown, in the order in which they were made.
fn unchosen<'a>(
    offers: &'a [Offer<'a>],
    reasons: &'a [Arc<str>],
    chosen: &'a [Chosen],
) -> impl Iterator<Item = Dropped> + 'a {
    let mut told: HashSet<(*const FileEntry, usize)> = chosen
        .iter()
        .map(|one| (Arc::as_ptr(offers[one.offer].file), offers[one.offer].item))
        .collect();
    offers.iter().zip(reasons).filter_map(move |(offer, reason)| {
        let new = told.insert((Arc::as_ptr(offer.file), offer.item));
        new.then(|| not_chosen(offer, reason))
    })
}
