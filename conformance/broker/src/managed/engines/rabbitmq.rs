//! RabbitMQ: a node, and an epmd of its own by which the node's tools find it.

mod home;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::{Place, Server, Step, USER, command};
use crate::managed::programs;
use crate::managed::ready::{Answered, SignOfLife, has};
use crate::managed::settings::Settings;
use crate::open_error::OpenError;

/// A client's first words, and how the answer to it begins.
const HELLO: &[u8] = b"AMQP\0\0\x09\x01";
const ANSWER: &[u8] = b"\x01\0\0";
/// Ends every frame.
const END: u8 = 0xce;

/// On the loopback alone; and what is settled is written at once. Left to itself a queue keeps that back until it has
/// been idle for 200 ms, and who is killed meanwhile delivers again what was done.
const ARGUMENTS: &str = "-kernel inet_dist_use_interface {127,0,0,1} -rabbit fhc_write_buffering false";

/// The folder of the node's own home.
const HOME: &str = "home";

/// Asks an epmd for the names it knows.
const NAMES: &[u8] = b"\0\x01n";

/// Where systems keep the scripts themselves. Debian's own of the same name are for root and its service alone.
const USUAL: &[&str] = &[
    "/usr/lib/rabbitmq/bin",
    "/usr/local/lib/rabbitmq/bin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
];

#[derive(Debug)]
pub(super) struct RabbitMq {
    scripts: PathBuf,
    epmd: PathBuf,
    settings: Settings,
}

impl RabbitMq {
    pub(super) fn find(settings: Settings) -> Result<Self, OpenError> {
        let linked = programs::all("rabbitmq-server").into_iter();
        let linked = linked.filter_map(|script| Some(script.canonicalize().ok()?.parent()?.to_owned()));
        let folders = linked.chain(USUAL.iter().map(PathBuf::from));
        let scripts = programs::together(folders, &["rabbitmq-server", "rabbitmq-env"], "rabbitmq-server")?;
        Ok(RabbitMq { scripts, epmd: programs::one("epmd", "rabbitmq-server")?, settings })
    }
}

impl Server for RabbitMq {
    fn prepare(&self, place: &Place) -> Result<Option<Command>, OpenError> {
        for folder in ["log", "mnesia", "config"] {
            place.make(folder)?;
        }
        place.write("env.conf", "")?;
        place.write("enabled_plugins", "[].\n")?;
        place.write(".erlang.cookie", &place.password)?;
        let made = home::make(&self.scripts, &place.folder.join(HOME));
        made.map_err(|error| OpenError::setup(format!("{}: {error}", place.file(HOME))))?;
        // Erlang refuses one that others may read.
        let cookie = std::fs::set_permissions(place.folder.join(".erlang.cookie"), PermissionsExt::from_mode(0o400));
        cookie.map_err(|error| OpenError::setup(format!("{}: {error}", place.file(".erlang.cookie"))))?;
        Ok(None)
    }

    fn steps(&self, place: &Place) -> Result<Vec<Step>, OpenError> {
        let [port, nodes, names] = place.ports;
        let (disk, memory) = (self.settings.value("disk_free_limit"), self.settings.value("vm_memory_high_watermark"));
        let text = format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = {USER}\ndefault_pass = {}\n\
             cluster_name = {}\ndisk_free_limit.absolute = {disk}\nvm_memory_high_watermark.relative = {memory}\n",
            place.password, place.name
        );
        place.write("rabbitmq.conf", &text)?;
        // One of a node that is gone keeps the next from saying that it has started.
        let _ = std::fs::remove_file(place.folder.join("pid"));
        let epmd = [("ERL_EPMD_PORT", names.to_string()), ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned())];

        let mut names_server = command(&self.epmd, place);
        names_server.envs(epmd.clone());
        let its_port = u32::from(names).to_be_bytes();
        let judge = move |heard: &[u8]| if heard.starts_with(&its_port) { Answered::Ready } else { Answered::More };
        let names_sign = SignOfLife { port: names, said: NAMES.to_vec(), judge: Box::new(judge) };

        let own = place.folder.join(HOME).join("sbin").join("rabbitmq-server");
        let script = if own.is_file() { own } else { self.scripts.join("rabbitmq-server") };
        let mut node = command(&script, place);
        node.envs(epmd);
        for (name, file) in [
            ("CONF_ENV_FILE", "env.conf"),
            ("MNESIA_BASE", "mnesia"),
            ("LOG_BASE", "log"),
            ("CONFIG_FILE", "rabbitmq.conf"),
            ("ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("PID_FILE", "pid"),
            ("GENERATED_CONFIG_DIR", "config"),
        ] {
            node.env(format!("RABBITMQ_{name}"), place.folder.join(file));
        }
        node.env("RABBITMQ_NODENAME", format!("{}@localhost", place.name));
        node.env("RABBITMQ_DIST_PORT", nodes.to_string());
        node.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ARGUMENTS);
        let name = place.name.clone();
        let judge = move |heard: &[u8]| match heard {
            _ if !heard.starts_with(&ANSWER[..heard.len().min(ANSWER.len())]) => Answered::NotYet,
            _ if has(heard, &name) => Answered::Ready,
            _ if heard.last() == Some(&END) => Answered::NotYet,
            _ => Answered::More,
        };
        let node_sign = SignOfLife { port, said: HELLO.to_vec(), judge: Box::new(judge) };
        Ok(vec![Step { command: names_server, sign: names_sign }, Step { command: node, sign: node_sign }])
    }

    fn address(&self, place: &Place) -> String {
        format!("amqp://{USER}:{}@127.0.0.1:{}/%2f", place.password, place.ports[0])
    }

    fn is_safe(&self) -> bool {
        self.settings.are_safe()
    }
}
