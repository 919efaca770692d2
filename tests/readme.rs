//! The README's tour, run as a reader runs it.

mod played;

#[test]
fn the_tour_of_the_readme_is_true() {
    played::play("README.md");
}
