//! Empty timestamps at a document's top level: a server puts its own time in their place when it takes a whole document, and leaves them alone in an
//! update of single fields.

use crate::entry::{EntryFault, top_level};

const TIMESTAMP: u8 = 0x11;
/// The first field's name of an update that is no replacement.
const MODIFIER: &[u8] = b"$v\0";

/// How a server is told which fields of a document to set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// `{$v: 2, diff: {u: {…}}}`, from 5.0 on: takes fields of any name.
    Diff,
    /// `{$v: 1, $set: {…}}`: reads a dot in a name as a path.
    Modifier,
}

fn document(elements: &[&[u8]]) -> Vec<u8> {
    let length = 5 + elements.iter().map(|element| element.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    for element in elements {
        bytes.extend_from_slice(element);
    }
    bytes.push(0);
    bytes
}

fn within(key: &str, elements: &[&[u8]]) -> Vec<u8> {
    [&[0x03], key.as_bytes(), &[0], &document(elements)].concat()
}

fn version(number: u8) -> [u8; 8] {
    [0x10, b'$', b'v', 0, number, 0, 0, 0]
}

/// What has to follow an insert or a replacement by the document of an `o` element, so that its empty timestamps stay what they are: the elements `o` and
/// `o2` of an update. None where it has no such timestamp, or is no whole document.
pub fn follow_up(object: &[u8], setting: Setting) -> Result<Option<[Vec<u8>; 2]>, EntryFault> {
    // A type, "o", and the end of that name come before the document.
    let whole = object.get(3..).filter(|whole| object[0] == 0x03 && whole.len() >= 5).ok_or("an object that is no document")?;
    if whole[5..].starts_with(MODIFIER) {
        return Ok(None);
    }
    let (mut id, mut fields): (Option<&[u8]>, Vec<&[u8]>) = (None, Vec::new());
    for field in top_level(whole) {
        let (element, key, value) = field?;
        if key == b"_id" {
            id = Some(element);
        } else if element[0] == TIMESTAMP && value == [0; 8] {
            let is_path = key.is_empty() || key.contains(&b'.') || key[0] == b'$';
            if setting == Setting::Modifier && is_path {
                return Err("an empty timestamp in a field of a name that this server can't set");
            }
            fields.push(element);
        }
    }
    if fields.is_empty() {
        return Ok(None);
    }
    let id = id.ok_or("an empty timestamp in a document without an _id, which a server would change")?;
    let object = match setting {
        Setting::Diff => within("o", &[&version(2), &within("diff", &[&within("u", &fields)])]),
        Setting::Modifier => within("o", &[&version(1), &within("$set", &fields)]),
    };
    Ok(Some([object, within("o2", &[id])]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{document, element};

    fn empty(key: &str) -> Vec<u8> {
        element(TIMESTAMP, key, &[0; 8])
    }

    #[test]
    fn follows_whole_documents_only_and_names_the_fields() {
        let id = element(0x10, "_id", &[7, 0, 0, 0]);
        let time = element(TIMESTAMP, "b", &[1, 0, 0, 0, 0, 0, 0, 0]);
        let nested = element(0x03, "n", &document(&[empty("x")]));
        let plain = element(0x03, "o", &document(&[id.clone(), time.clone(), nested.clone()]));
        assert!(follow_up(&plain, Setting::Diff).unwrap().is_none());
        let diff = element(0x03, "o", &document(&[element(0x10, "$v", &[2, 0, 0, 0]), empty("a")]));
        assert!(follow_up(&diff, Setting::Diff).unwrap().is_none());

        let whole = element(0x03, "o", &document(&[empty("a.b"), id.clone(), time, empty(""), nested]));
        let [object, object2] = follow_up(&whole, Setting::Diff).unwrap().unwrap();
        let set = element(0x03, "u", &document(&[empty("a.b"), empty("")]));
        let v2 = element(0x10, "$v", &[2, 0, 0, 0]);
        assert_eq!(object, element(0x03, "o", &document(&[v2, element(0x03, "diff", &document(&[set]))])));
        assert_eq!(object2, element(0x03, "o2", &document(&[id.clone()])));
        assert!(follow_up(&whole, Setting::Modifier).is_err());

        let simple = element(0x03, "o", &document(&[id, empty("a")]));
        let [object, _] = follow_up(&simple, Setting::Modifier).unwrap().unwrap();
        let v1 = element(0x10, "$v", &[1, 0, 0, 0]);
        assert_eq!(object, element(0x03, "o", &document(&[v1, element(0x03, "$set", &document(&[empty("a")]))])));
        assert!(follow_up(&element(0x03, "o", &document(&[empty("a")])), Setting::Diff).is_err());
    }
}
