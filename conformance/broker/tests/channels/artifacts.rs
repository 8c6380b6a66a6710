//! Large answers as files.

use std::fs;
use std::path::{Path, PathBuf};

use workwire::{ArtifactPath, ChannelMessage, FreeObject};
use workwire_broker::{ARTIFACT_THRESHOLD, Artifacts, FaceError, MEBIBYTE, RESPONSE_WAIT};

use super::agents::{Agent, free, message, name, question};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    a_large_answer_becomes_an_artifact_and_is_read_back,
    up_to_the_threshold_an_answer_stays_in_its_message,
    without_a_folder_answers_stay_in_their_messages,
    an_answer_beyond_a_message_s_size_travels_as_an_artifact,
    questions_and_answers_that_point_elsewhere_are_left_as_they_are,
    a_refused_answer_leaves_no_artifact,
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Folder(std::env::temp_dir().join(format!("workwire-artifacts-{}", uuid::Uuid::now_v7())))
    }

    /// The files below it.
    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        if self.0.exists() {
            walk(&self.0, &mut found);
        }
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn payload(bytes: usize) -> FreeObject {
    let frame = r#"{"context":{"text":""}}"#.len();
    let payload = free(&format!(r#"{{"context":{{"text":"{}"}}}}"#, "x".repeat(bytes - frame)));
    assert_eq!(payload.as_str().len(), bytes);
    payload
}

/// Two agents who share a folder.
async fn sharing(bench: &Bench, folder: &Folder) -> (Agent, Agent) {
    let mut agents = Vec::new();
    for agent in ["planner", "coder"] {
        let mut agent = Agent::on(bench, agent).await;
        agent.channels = agent.channels.with_artifacts(Artifacts::in_folder(&folder.0));
        agents.push(agent);
    }
    let [planner, coder] = <[Agent; 2]>::try_from(agents).unwrap_or_else(|_| unreachable!());
    (planner, coder)
}

async fn answered(planner: &Agent, coder: &Agent, payload: FreeObject) -> ChannelMessage {
    let request = planner.sends(question("planner", "all of it, please")).await;
    let sent = coder.channels.respond(&request, &coder.name, payload).await.unwrap();
    let taken = planner.channels.wait_for_response(&planner.name, &request, RESPONSE_WAIT).await.unwrap();
    assert_eq!(taken.id(), sent.id());
    taken
}

async fn a_large_answer_becomes_an_artifact_and_is_read_back(bench: Bench) {
    let folder = Folder::new();
    let (planner, coder) = sharing(&bench, &folder).await;
    let large = payload(ARTIFACT_THRESHOLD + 1);
    let answer = answered(&planner, &coder, large.clone()).await;
    let path = format!("payloads/{}.json", answer.id());
    assert_eq!(answer.artifact_path().unwrap().as_str(), path);
    assert_eq!(answer.payload().as_str(), format!(r#"{{"artifact_path":"{path}"}}"#));
    assert_eq!(planner.channels.payload_of(&answer).await.unwrap(), large);
    assert_eq!(folder.files(), [folder.0.join(&path)]);
    assert_eq!(fs::read_to_string(folder.0.join(&path)).unwrap(), large.as_str());
}

async fn up_to_the_threshold_an_answer_stays_in_its_message(bench: Bench) {
    let folder = Folder::new();
    let (planner, coder) = sharing(&bench, &folder).await;
    let small = payload(ARTIFACT_THRESHOLD);
    let answer = answered(&planner, &coder, small.clone()).await;
    assert_eq!(*answer.payload(), small);
    assert_eq!(planner.channels.payload_of(&answer).await.unwrap(), small);
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
}

async fn without_a_folder_answers_stay_in_their_messages(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let large = payload(10 * ARTIFACT_THRESHOLD);
    let answer = answered(&planner, &coder, large.clone()).await;
    assert_eq!(*answer.payload(), large);
    assert_eq!(planner.channels.payload_of(&answer).await.unwrap(), large);
}

async fn an_answer_beyond_a_message_s_size_travels_as_an_artifact(bench: Bench) {
    let folder = Folder::new();
    let (planner, coder) = sharing(&bench, &folder).await;
    let enormous = payload(3 * usize::try_from(MEBIBYTE).unwrap());
    let answer = answered(&planner, &coder, enormous.clone()).await;
    assert_eq!(planner.channels.payload_of(&answer).await.unwrap(), enormous);
}

async fn questions_and_answers_that_point_elsewhere_are_left_as_they_are(bench: Bench) {
    let folder = Folder::new();
    let (planner, coder) = sharing(&bench, &folder).await;
    let large = payload(2 * ARTIFACT_THRESHOLD);
    let pointing = large.with("artifact_path", "reports/4711.md").unwrap();
    let offer = planner.sends(message("planner", "task.offer").payload(large.clone())).await;
    assert_eq!(*coder.gets(&offer).await.message(), offer);
    let answer = answered(&planner, &coder, pointing.clone()).await;
    assert_eq!(*answer.payload(), pointing);
    assert_eq!(planner.channels.payload_of(&answer).await.unwrap(), pointing);
    // Of its own type the protocol asks for a context, which stays.
    let context = message("coder", "context.response").payload(large.clone()).to_agent(name("planner"));
    let sent = coder.sends(context).await;
    let seen = planner.gets(&sent).await.into_message();
    assert!(seen.warnings().is_empty(), "{}", seen.warnings());
    assert_eq!(planner.channels.payload_of(&seen).await.unwrap(), large);
    assert_eq!(folder.files().len(), 1);
}

async fn a_refused_answer_leaves_no_artifact(bench: Bench) {
    let folder = Folder::new();
    let (planner, coder) = sharing(&bench, &folder).await;
    let request = planner.sends(question("planner", "all of it, please")).await;
    let _claimed = coder.gets(&request).await;
    coder.channels.client().close(workwire_broker::CloseMode::Graceful).await.unwrap();
    let refused = coder.channels.respond(&request, &coder.name, payload(20_000)).await.unwrap_err();
    assert!(refused.to_string().starts_with("publishing to channel.general: not_found: "), "{refused}");
    assert!(folder.0.exists(), "it was not written in the first place");
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
}

fn path(text: &str) -> ArtifactPath {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_artifact_is_written_whole_and_can_be_replaced() {
    let folder = Folder::new();
    let artifacts = Artifacts::in_folder(&folder.0);
    for text in ["first", "second", ""] {
        artifacts.write(&path("reports/2026/4711.md"), text).await.unwrap();
        assert_eq!(artifacts.read(&path("reports/2026/4711.md")).await.unwrap(), text.as_bytes());
    }
    // No draft is left.
    assert_eq!(folder.files(), [folder.0.join("reports/2026/4711.md")]);
}

#[tokio::test]
async fn an_artifact_that_is_not_there_is_told_by_its_path() {
    let folder = Folder::new();
    let artifacts = Artifacts::in_folder(&folder.0);
    artifacts.write(&path("here.md"), "here").await.unwrap();
    let error = artifacts.read(&path("there.md")).await.unwrap_err();
    assert!(matches!(&error, FaceError::Artifact { path, .. } if path == "there.md"), "{error:?}");
    assert!(error.to_string().starts_with("artifact \"there.md\": "), "{error}");
    assert!(artifacts.read(&path("nowhere/there.md")).await.is_err());
}

#[tokio::test]
async fn no_path_leads_out_by_its_parts() {
    for text in ["../secret", "a/../../secret", "/etc/passwd", "a//b", ".", "a/./b", "C:\\secret", ""] {
        assert!(text.parse::<ArtifactPath>().is_err(), "{text:?} is a path");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_path_leads_out_by_a_link() {
    use std::os::unix::fs::symlink;

    let (folder, outside) = (Folder::new(), Folder::new());
    fs::create_dir_all(&outside.0).unwrap();
    fs::write(outside.0.join("secret"), "secret").unwrap();
    let artifacts = Artifacts::in_folder(&folder.0);
    artifacts.write(&path("inside/file"), "inside").await.unwrap();
    symlink(&outside.0, folder.0.join("folder")).unwrap();
    symlink(outside.0.join("secret"), folder.0.join("file")).unwrap();
    symlink("../../etc/passwd", folder.0.join("inside/relative")).unwrap();
    // Nor is one followed that leads nowhere else.
    symlink("inside/file", folder.0.join("alias")).unwrap();

    for text in ["folder/secret", "file", "inside/relative", "alias", "inside", "folder"] {
        let read = artifacts.read(&path(text)).await;
        assert!(matches!(read, Err(FaceError::Artifact { .. })), "{text} is read: {read:?}");
    }
    for text in ["folder/new", "folder/deep/new"] {
        let error = artifacts.write(&path(text), "mine").await.unwrap_err();
        assert!(error.to_string().contains("leads out of it"), "{error}");
    }
    // A link is replaced, not followed.
    artifacts.write(&path("file"), "mine").await.unwrap();
    assert_eq!(artifacts.read(&path("file")).await.unwrap(), b"mine");
    assert_eq!(fs::read_to_string(outside.0.join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(&outside.0).unwrap().count(), 1);
}
