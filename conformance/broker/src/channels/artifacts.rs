//! Large payloads as files in a folder beside the store: written whole or not at all, and read only
//! from inside the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use workwire::{ArtifactPath, ChannelMessage, FreeObject, MAX_BYTES_CEILING};

use crate::face::FaceError;

/// Payloads of answers above so many bytes become artifacts: 10 KB.
pub const ARTIFACT_THRESHOLD: usize = 10 * 1024;

/// A folder of artifacts, and from which size on a payload becomes one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("artifacts-{}", std::process::id()));
/// use workwire_broker::Artifacts;
/// let artifacts = Artifacts::in_folder(&folder);
/// let path = "reports/4711.md".parse()?;
/// artifacts.write(&path, b"# Done").await?;
/// assert_eq!(artifacts.read(&path).await?, b"# Done");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Artifacts {
    folder: PathBuf,
    threshold: usize,
}

impl Artifacts {
    /// Artifacts in a folder, which is made when the first is written.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Artifacts { folder: folder.into(), threshold: ARTIFACT_THRESHOLD }
    }

    /// The same with another size above which a payload becomes an artifact.
    #[must_use]
    pub fn above(self, threshold: usize) -> Self {
        Artifacts { threshold, ..self }
    }

    /// Writes an artifact, or puts it in the place of the one that is there. Whoever reads sees all of
    /// it or nothing, also when the machine stops in between.
    ///
    /// # Errors
    /// Says what could not be written, and a path that leads out of the folder by a link.
    pub async fn write(&self, path: &ArtifactPath, bytes: impl Into<Vec<u8>>) -> Result<(), FaceError> {
        let (folder, place, bytes) = (self.folder.clone(), path.clone(), bytes.into());
        apart(path, move || write(&folder, place.as_str(), &bytes)).await
    }

    /// Reads an artifact.
    ///
    /// # Errors
    /// Says what could not be read, and a path that leads out of the folder by a link.
    pub async fn read(&self, path: &ArtifactPath) -> Result<Vec<u8>, FaceError> {
        let (folder, place) = (self.folder.clone(), path.clone());
        apart(path, move || read(&folder, place.as_str())).await
    }

    /// Writes the payload of a large answer as an artifact, and gives the answer that points to it.
    /// Other messages are left as they are, and answers that point to an artifact already.
    pub(super) async fn put_aside(&self, message: &ChannelMessage) -> Result<Option<ChannelMessage>, FaceError> {
        let payload = message.payload();
        let is_large = payload.as_str().len() > self.threshold;
        if !is_large || !message.is_response() || payload.get("artifact_path").is_some() {
            return Ok(None);
        }
        let path = payload_path(message)?;
        let Some(pointing) = with_payload(message, &pointing_to(message, &path)?)? else { return Ok(None) };
        self.write(&path, payload.as_str()).await?;
        Ok(Some(pointing))
    }

    /// Removes the payload that was put aside for a message that was then refused.
    pub(super) async fn take_away(&self, message: &ChannelMessage) -> Result<(), FaceError> {
        let path = payload_path(message)?;
        let (folder, place) = (self.folder.clone(), path.clone());
        apart(&path, move || fs::remove_file(inside(&folder, place.as_str())?)).await
    }

    /// What a message says, read from where it was put aside.
    pub(super) async fn payload_of(&self, message: &ChannelMessage) -> Result<FreeObject, FaceError> {
        let aside = payload_path(message)?;
        if message.artifact_path().as_ref() != Some(&aside) {
            return Ok(message.payload().clone());
        }
        let bytes = self.read(&aside).await?;
        let problem = |problem: String| FaceError::Artifact { path: aside.to_string(), problem };
        let text = String::from_utf8(bytes).map_err(|error| problem(error.to_string()))?;
        text.parse().map_err(|error: workwire::ProtocolError| problem(error.to_string()))
    }
}

/// Where the payload of a message is put aside.
fn payload_path(message: &ChannelMessage) -> Result<ArtifactPath, FaceError> {
    ArtifactPath::new(format!("payloads/{}.json", message.id())).map_err(FaceError::protocol("artifact_path"))
}

/// The payload that stays with the message.
fn pointing_to(message: &ChannelMessage, path: &ArtifactPath) -> Result<FreeObject, FaceError> {
    let mut payload = FreeObject::new();
    if message.message_type().as_str() == "context.response" {
        // Of this type the protocol asks that a context is there.
        payload = payload.with("context", &FreeObject::new()).map_err(FaceError::protocol("payload"))?;
    }
    payload.with("artifact_path", path).map_err(FaceError::protocol("payload"))
}

/// The same message with another payload. Nothing where it holds what only a later version knows, and
/// that would be lost.
fn with_payload(message: &ChannelMessage, payload: &FreeObject) -> Result<Option<ChannelMessage>, FaceError> {
    let rebuilt = |payload: &FreeObject| {
        let mut builder = ChannelMessage::builder()
            .id(*message.id())
            .message_type(message.message_type().clone())
            .version(*message.version())
            .timestamp(*message.timestamp())
            .from_agent(message.from_agent().clone())
            .channel(message.channel().clone())
            .priority(*message.priority())
            .payload(payload.clone());
        if let Some(to) = message.to_agent() {
            builder = builder.to_agent(to.clone());
        }
        if let Some(correlation) = message.correlation_id() {
            builder = builder.correlation_id(correlation.clone());
        }
        builder.build().map_err(FaceError::protocol("message"))
    };
    if rebuilt(message.payload())? != *message {
        return Ok(None);
    }
    rebuilt(payload).map(Some)
}

/// Files are waited for on a thread of their own.
async fn apart<T: Send + 'static>(
    path: &ArtifactPath,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FaceError> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|lost| Err(io::Error::other(lost)));
    done.map_err(|error| FaceError::Artifact { path: path.to_string(), problem: error.to_string() })
}

/// The place of a path whose folder is there and lies inside, whatever links there are.
fn inside(folder: &Path, path: &str) -> io::Result<PathBuf> {
    let root = folder.canonicalize()?;
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = root.join(parents).canonicalize()?;
    if !parent.starts_with(&root) {
        return Err(leads_out());
    }
    Ok(parent.join(name))
}

fn leads_out() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "expected a path inside the folder of artifacts, found one that leads out of it",
    )
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    make_folder(folder)?;
    let mut parent = folder.canonicalize()?;
    let (parents, _) = path.rsplit_once('/').unwrap_or(("", path));
    for part in parents.split('/').filter(|part| !part.is_empty()) {
        let child = parent.join(part);
        match fs::create_dir(&child) {
            Ok(()) => sync_folder(&parent)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        // A link among the folders could lead anywhere, and is not needed by anybody.
        if !fs::symlink_metadata(&child)?.is_dir() {
            return Err(leads_out());
        }
        parent = child;
    }
    let target = inside(folder, path)?;
    let draft = parent.join(format!(".{}.draft", Uuid::new_v4().simple()));
    let written = write_draft(&draft, bytes).and_then(|()| fs::rename(&draft, &target));
    if let Err(error) = written {
        // The draft is of no use to anybody; that it stays is the lesser trouble.
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    sync_folder(&parent)
}

/// Makes a folder and those above it, so that none of them is lost when the machine stops.
fn make_folder(folder: &Path) -> io::Result<()> {
    let Some(parent) = folder.parent().filter(|_| !folder.is_dir()) else { return Ok(()) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name is safe when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn read(folder: &Path, path: &str) -> io::Result<Vec<u8>> {
    let place = inside(folder, path)?;
    if !fs::symlink_metadata(&place)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "expected a file, found a link, a folder or a device",
        ));
    }
    let file = File::open(&place)?;
    if !is_same_inside(folder, &place, &file)? {
        return Err(leads_out());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES_CEILING).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES_CEILING {
        return Err(io::Error::other(format!("expected at most {MAX_BYTES_CEILING} bytes, found more")));
    }
    Ok(bytes)
}

/// Whether what was opened is what lies inside: somebody may have put a link there in between.
#[cfg(unix)]
fn is_same_inside(folder: &Path, place: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let real = place.canonicalize()?;
    let (opened, found) = (file.metadata()?, fs::symlink_metadata(&real)?);
    Ok(real.starts_with(folder.canonicalize()?) && (opened.dev(), opened.ino()) == (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn is_same_inside(folder: &Path, place: &Path, _: &File) -> io::Result<bool> {
    Ok(place.canonicalize()?.starts_with(folder.canonicalize()?))
}
