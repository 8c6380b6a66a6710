//! The node's own tool, and what tests say again and again.

use std::process::Command;
use std::sync::Arc;

use tokio::sync::OnceCell;
use uuid::Uuid;
use workwire_broker::{Broker, Client, Fetch, Instance, Message, Queue, Target};

use crate::live::instance;

/// One node for all who can share it, each with names of his own: a node takes seconds to start. It ends with the
/// program.
pub(super) async fn shared() -> Option<&'static Instance> {
    static NODE: OnceCell<Option<Instance>> = OnceCell::const_new();
    NODE.get_or_init(|| instance("rabbitmq")).await.as_ref()
}

/// Runs `rabbitmqctl` on the node of an instance, and only there.
pub(super) fn ctl(instance: &Instance, arguments: &[&str]) -> String {
    let folder = instance.folder();
    let conf = std::fs::read_to_string(folder.join("rabbitmq.conf")).unwrap();
    let node = conf.lines().find_map(|line| line.strip_prefix("cluster_name = ")).unwrap();
    // Without the instance's own, the tool would leave an epmd on every address of the machine.
    let epmd = instance.processes().into_iter().find_map(epmd_port).unwrap();
    let scripts = ["/usr/lib/rabbitmq/bin", "/usr/local/lib/rabbitmq/bin"];
    let script = scripts
        .iter()
        .map(|folder| format!("{folder}/rabbitmqctl"))
        .find(|script| std::path::Path::new(script).exists());
    let output = Command::new(script.unwrap_or_else(|| "rabbitmqctl".to_owned()))
        .args(["-q", "-n", &format!("{node}@localhost")])
        .args(arguments)
        .env("HOME", folder)
        .env("ERL_EPMD_PORT", epmd)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("env.conf"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn epmd_port(process: u32) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{process}/environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment).into_owned();
    environment.split('\0').find_map(|one| one.strip_prefix("ERL_EPMD_PORT=").map(str::to_owned))
}

/// The broker over an address.
pub(super) async fn broker(address: &str) -> Arc<dyn Broker> {
    address.parse::<Target>().unwrap().open().await.unwrap()
}

/// Why the broker over an address is not opened.
pub(super) async fn refusal(address: &str) -> String {
    address.parse::<Target>().unwrap().open().await.err().expect("a refusal").to_string()
}

pub(super) fn message(body: &str) -> Message {
    Message::new(Uuid::new_v4(), body.to_owned())
}

/// The bodies of what is fetched.
pub(super) async fn bodies(client: &dyn Client, queue: &Queue, fetch: Fetch) -> Vec<String> {
    let came = client.fetch(queue, fetch).await.unwrap();
    came.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect()
}

/// The address with another user and password.
pub(super) fn as_user(address: &str, user: &str, password: &str) -> String {
    let (_, rest) = address.split_once('@').unwrap();
    format!("amqp://{user}:{password}@{rest}")
}
