//! Every file of the corpus through every target, without a fuzzer.

use std::path::Path;

use workwire_fuzz::TARGETS;

#[test]
fn the_corpus_breaks_no_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut failures = Vec::new();
    for (folder, _) in TARGETS {
        let files: Vec<_> = std::fs::read_dir(corpus.join(folder)).expect("each target has a folder").collect();
        assert!(!files.is_empty(), "{folder} has a corpus");
        for file in files {
            let path = file.expect("the folder can be read").path();
            let data = std::fs::read(&path).expect("the file can be read");
            for (name, target) in TARGETS {
                if std::panic::catch_unwind(|| target(&data)).is_err() {
                    failures.push(format!("{name}: {}", path.display()));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
