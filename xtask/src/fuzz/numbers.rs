//! Random numbers that are the same everywhere for the same seed.

/// A generator of numbers: SplitMix64 ([source](https://prng.di.unimi.it/splitmix64.c)), in which neighbouring seeds give
/// unrelated numbers.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// Returns the generator of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut numbers = Self(seed);
        // The numbers of one seed must not be those of the next, shifted by one.
        let start = numbers.next();
        Self(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below a limit; 0 for the limit 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit.max(1)
    }

    /// Reports true once in so many times; never for 0.
    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        many > 0 && self.below(many) == 0
    }

    /// Returns one of several values.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_give_unrelated_numbers() {
        let first = |seed| {
            let mut numbers = Numbers::of(seed);
            [numbers.below(1000), numbers.below(1000), numbers.below(1000)]
        };
        assert_eq!(first(7), first(7));
        assert_ne!(first(7)[1..], first(8)[..2]);
        assert_ne!(first(7), first(8));
    }
}
