//! A stream of small numbers out of which cases are made: random, the input of a fuzzer, or a stream
//! that was recorded and made shorter.

/// Numbers that are asked for one after the other.
pub struct Choices {
    source: Source,
    taken: Vec<u8>,
}

enum Source {
    Random(u64),
    /// These, and then zeros or, with a state, random ones.
    Bytes(Vec<u8>, Option<u64>),
}

impl Choices {
    pub fn random(seed: u64) -> Self {
        Self {
            source: Source::Random(seed),
            taken: Vec::new(),
        }
    }

    pub fn of(bytes: &[u8]) -> Self {
        Self {
            source: Source::Bytes(bytes.to_vec(), None),
            taken: Vec::new(),
        }
    }

    /// What a fuzzer has found out, and more that follows from it: so a short input is a whole case.
    pub fn beginning_with(bytes: &[u8]) -> Self {
        let seed = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self {
            source: Source::Bytes(bytes.to_vec(), Some(seed)),
            taken: Vec::new(),
        }
    }

    /// What has been taken, so that it can be played again.
    pub fn into_taken(self) -> Vec<u8> {
        self.taken
    }

    pub fn byte(&mut self) -> u8 {
        let at = self.taken.len();
        let byte = match &mut self.source {
            Source::Random(state) => split_mix(state) as u8,
            Source::Bytes(bytes, then) => match (bytes.get(at), then) {
                (Some(&byte), _) => byte,
                (None, Some(state)) => split_mix(state) as u8,
                (None, None) => 0,
            },
        };
        self.taken.push(byte);
        byte
    }

    /// A number below `n`, which is at most 256. Lower numbers should make simpler cases.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// `true` once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        let at = self.below(all.len());
        all[at]
    }

    /// Up to `most` of them, in the order in which they are drawn.
    pub fn some(&mut self, all: &[&str], most: usize) -> Vec<String> {
        let n = self.below(most + 1);
        (0..n).map(|_| self.pick(all).to_owned()).collect()
    }
}

/// <https://prng.di.unimi.it/splitmix64.c>
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The shortest stream with the lowest numbers that still fails: parts are left out, and numbers are
/// lowered, for as long as that helps.
pub fn shrink(mut bytes: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    loop {
        let before = bytes.clone();
        let mut size = bytes.len().max(1);
        while size > 0 {
            let mut at = 0;
            while at < bytes.len() {
                let end = (at + size).min(bytes.len());
                let shorter = [&bytes[..at], &bytes[end..]].concat();
                if fails(&shorter) {
                    bytes = shorter;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        for at in 0..bytes.len() {
            for lower in [0, bytes[at] / 2, bytes[at].saturating_sub(1)] {
                let mut lowered = bytes.clone();
                lowered[at] = lower;
                if lower < bytes[at] && fails(&lowered) {
                    bytes = lowered;
                }
            }
        }
        if bytes == before {
            return bytes;
        }
    }
}
