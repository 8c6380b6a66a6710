//! What was asked for behind the `?`: settings of the instance, and options of its address.

use super::Engine;

/// A setting of an instance, its value where none is given, and what may be asked for; anything simple
/// where nothing is listed.
struct Known {
    name: &'static str,
    usual: &'static str,
    allowed: &'static [&'static str],
}

const fn any(name: &'static str, usual: &'static str) -> Known {
    Known { name, usual, allowed: &[] }
}

const fn one_of(name: &'static str, allowed: &'static [&'static str]) -> Known {
    Known { name, usual: allowed[0], allowed }
}

const RABBITMQ: &[Known] = &[any("disk_free_limit", "50MB"), any("vm_memory_high_watermark", "0.4")];
const REDIS: &[Known] = &[one_of("appendfsync", &["always", "everysec", "no"]), any("maxmemory", "2gb")];
const NATS: &[Known] = &[any("sync_interval", "always"), any("max_file_store", "4GB")];
const POSTGRES: &[Known] =
    &[one_of("fsync", &["on", "off"]), one_of("synchronous_commit", &["on", "off"]), any("max_connections", "100")];

const fn known(engine: Engine) -> &'static [Known] {
    match engine {
        Engine::RabbitMq => RABBITMQ,
        Engine::Redis => REDIS,
        Engine::Nats => NATS,
        Engine::Postgres => POSTGRES,
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    engine: Engine,
    given: Vec<(&'static str, String)>,
    of_the_address: String,
}

impl Settings {
    pub(super) fn parse(engine: Engine, options: &str) -> Result<Self, String> {
        let mut settings = Settings { engine, given: Vec::new(), of_the_address: String::new() };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let Some(known) = known(engine).iter().find(|known| known.name == name) else {
                settings.of_the_address.push(if settings.of_the_address.is_empty() { '?' } else { '&' });
                settings.of_the_address.push_str(option);
                continue;
            };
            check(known, value)?;
            settings.given.push((known.name, value.to_owned()));
        }
        Ok(settings)
    }

    /// The options that belong to the address, with their `?`.
    pub(super) fn of_the_address(&self) -> &str {
        &self.of_the_address
    }

    /// The value of a setting of this engine.
    pub(super) fn value(&self, name: &str) -> &str {
        let given = self.given.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| &**value);
        let usual = || known(self.engine).iter().find(|known| known.name == name).map_or("", |known| known.usual);
        given.unwrap_or_else(usual)
    }

    /// Whether what is confirmed is on the disk.
    pub(super) fn are_safe(&self) -> bool {
        ["appendfsync", "sync_interval", "fsync", "synchronous_commit"].iter().all(|name| {
            let usual = known(self.engine).iter().find(|known| known.name == *name).map(|known| known.usual);
            usual.is_none_or(|usual| self.value(name) == usual)
        })
    }
}

fn check(known: &Known, value: &str) -> Result<(), String> {
    let Known { name, allowed, .. } = known;
    if !allowed.is_empty() {
        let (last, others) = allowed.split_last().unwrap_or((&"", &[]));
        let fits = allowed.contains(&value);
        return fits
            .then_some(())
            .ok_or_else(|| format!("{name}: expected {} or {last}, found {value:?}", others.join(", ")));
    }
    // It becomes part of the engine's own file of settings.
    let is_simple = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    is_simple.then_some(()).ok_or_else(|| format!("{name}: expected letters, digits and points, found {value:?}"))
}
