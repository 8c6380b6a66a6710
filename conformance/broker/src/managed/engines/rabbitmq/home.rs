//! A home for a node of which no plugin is enabled.
//!
//! While it starts, a node looks through all that lies beside it, again and again. With the plugins that come with it
//! a start took 10.9 s where it took 6.7 without, beside other load. So it is started from a folder of links to what it
//! needs, without them.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Makes the home in this folder, and says where its scripts are; nothing where the program lies otherwise than usual.
pub(super) fn make(scripts: &Path, home: &Path) -> io::Result<Option<PathBuf>> {
    // The scripts find their home by where they themselves are, through every link: they are copied.
    let real = scripts.join("rabbitmq-server").canonicalize()?;
    let Some((sources, libraries)) =
        real.parent().and_then(|sources| Some((sources, sources.parent()?.join("plugins"))))
    else {
        return Ok(None);
    };
    if !libraries.is_dir() {
        return Ok(None);
    }
    let (own_scripts, own_libraries) = (home.join("sbin"), home.join("plugins"));
    std::fs::create_dir_all(&own_scripts)?;
    std::fs::create_dir_all(&own_libraries)?;
    for name in ["rabbitmq-server", "rabbitmq-env", "rabbitmq-defaults"] {
        std::fs::copy(sources.join(name), own_scripts.join(name))?;
    }
    for library in std::fs::read_dir(&libraries)? {
        let library = library?;
        if !is_plugin(&library.path()) {
            symlink(library.path(), own_libraries.join(library.file_name()))?;
        }
    }
    Ok(Some(own_scripts))
}

/// Whether this is built upon the node, instead of the node upon it.
fn is_plugin(library: &Path) -> bool {
    let Some(name) = library.file_name().and_then(|name| name.to_str()?.split('-').next()) else { return false };
    let told = std::fs::read_to_string(library.join("ebin").join(format!("{name}.app")));
    told.is_ok_and(|told| needs(&told).any(|needed| needed == "rabbit"))
}

/// What an application says that it needs.
fn needs(told: &str) -> impl Iterator<Item = &str> {
    let list = told.split_once("{applications").and_then(|(_, rest)| rest.split_once('[')?.1.split(']').next());
    list.unwrap_or_default().split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed::watch::Watch;

    fn application(libraries: &Path, name: &str, needed: &str) {
        let place = libraries.join(format!("{name}-1.0")).join("ebin");
        std::fs::create_dir_all(&place).unwrap();
        let told = format!("{{application, {name},\n [{{vsn, \"1.0\"}},\n  {{applications, [kernel,\n{needed}]}}]}}.");
        std::fs::write(place.join(format!("{name}.app")), told).unwrap();
    }

    #[test]
    fn what_is_built_upon_the_node_is_left_out() {
        let watch = Watch::begin("home", None).unwrap();
        let folder = watch.folder();
        let (scripts, libraries) = (folder.join("sbin"), folder.join("plugins"));
        for part in [&scripts, &libraries] {
            std::fs::create_dir_all(part).unwrap();
        }
        for name in ["rabbitmq-server", "rabbitmq-env", "rabbitmq-defaults", "rabbitmqctl"] {
            std::fs::write(scripts.join(name), name).unwrap();
        }
        application(&libraries, "rabbit", "rabbit_common, ra");
        application(&libraries, "rabbit_common", "stdlib");
        application(&libraries, "rabbitmq_shovel", "rabbit_common, rabbit");
        std::fs::write(libraries.join("packed-2.0.ez"), "").unwrap();
        // As systems link to it.
        let linked = folder.join("bin");
        std::fs::create_dir(&linked).unwrap();
        symlink(scripts.join("rabbitmq-server"), linked.join("rabbitmq-server")).unwrap();

        let home = folder.join("home");
        let made = make(&linked, &home).unwrap().unwrap();
        let names = |folder: &Path| {
            let all = std::fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = all.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&made), ["rabbitmq-defaults", "rabbitmq-env", "rabbitmq-server"]);
        assert_eq!(names(&home.join("plugins")), ["packed-2.0.ez", "rabbit-1.0", "rabbit_common-1.0"]);
    }

    #[test]
    fn a_program_that_lies_otherwise_is_taken_as_it_is() {
        let watch = Watch::begin("home", None).unwrap();
        let folder = watch.folder();
        std::fs::write(folder.join("rabbitmq-server"), "").unwrap();
        assert_eq!(make(folder, &folder.join("home")).unwrap(), None);
    }
}
