//! The verbs that edit: `(&Repo, &Request) -> Result<ChangeSet>`. They know nothing of dry runs, terminals and files.

pub mod add_app;
pub mod add_namespace;
pub mod convert;
pub mod init;
pub mod merge;

pub use add_app::add_app;
pub use add_namespace::add_namespace;
pub use init::init;
