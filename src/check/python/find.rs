//! Which interpreter and which tools belong to a file.

use std::path::{Path, PathBuf};

use super::super::CheckError;

/// An installed tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    /// Whether the project asks for it.
    pub(super) configured: bool,
}

/// The interpreter of the file at `path` in the workspace at `root`.
pub(super) fn interpreter(
    configured: Option<&Path>,
    path: &Path,
    root: &Path,
) -> Result<PathBuf, CheckError> {
    if let Some(configured) = configured {
        return existing(configured).ok_or_else(|| CheckError::Missing {
            program: configured.display().to_string(),
            mend:
                "it is configured as the Python to use: correct `check.python` in the configuration"
                    .to_owned(),
        });
    }
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let nearby = folders.flat_map(|folder| [folder.join(".venv"), folder.join("venv")]);
    let of_environment = |folder: PathBuf| existing(&python_in(&folder));
    active
        .into_iter()
        .chain(nearby)
        .find_map(of_environment)
        .or_else(|| ["python3", "python"].into_iter().find_map(in_path))
        .ok_or_else(|| CheckError::Missing {
            program: "python3".to_owned(),
            mend: "install Python, or name it in the configuration as `check.python`".to_owned(),
        })
}

/// The tool `name` beside the interpreter, else in `PATH`.
pub(super) fn tool(name: &'static str, interpreter: &Path, root: &Path) -> Option<Tool> {
    let beside = interpreter.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let path = existing(&beside).or_else(|| in_path(name))?;
    Some(Tool { name, path, configured: is_configured(name, root) })
}

fn is_configured(name: &str, root: &Path) -> bool {
    let own: &[&str] = match name {
        "ruff" => &["ruff.toml", ".ruff.toml"],
        "mypy" => &["mypy.ini", ".mypy.ini"],
        _ => &["pyrightconfig.json"],
    };
    let mentions = |file: &str, section: &str| {
        std::fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(section))
    };
    own.iter().any(|file| root.join(file).is_file())
        || mentions("pyproject.toml", &format!("[tool.{name}"))
        || (name == "mypy" && mentions("setup.cfg", "[mypy"))
}

fn python_in(environment: &Path) -> PathBuf {
    if cfg!(windows) {
        environment.join("Scripts").join("python.exe")
    } else {
        environment.join("bin").join("python")
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path)
        .find_map(|folder| {
            // A shim decides by the current folder which version runs, through a shell each time.
            let shim = folder.ends_with("shims");
            existing(&folder.join(&file)).filter(|_| !shim)
        })
        .or_else(|| std::env::split_paths(&path).find_map(|folder| existing(&folder.join(&file))))
}

fn existing(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| path.to_owned())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_environment_wins_within_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for environment in [".venv", "root/venv", "root/pkg/.venv"] {
            let bin = folder.path().join(environment).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            std::fs::write(bin.join("python"), "").unwrap();
        }
        // The tests may themselves run in an activated environment, which would come first.
        if std::env::var_os("VIRTUAL_ENV").is_some() {
            println!("skipped: VIRTUAL_ENV is set");
            return;
        }
        let of = |path: &str| interpreter(None, &root.join(path), &root).unwrap();
        assert_eq!(of("pkg/m.py"), root.join("pkg/.venv/bin/python"));
        assert_eq!(of("m.py"), root.join("venv/bin/python"));
        std::fs::remove_dir_all(root.join("venv")).unwrap();
        assert!(!of("m.py").starts_with(folder.path()), "the parent's is not ours");
        let error = interpreter(Some(Path::new("/no/python")), &root, &root).unwrap_err();
        assert!(error.to_string().starts_with("/no/python: not found"));
    }

    #[test]
    fn a_section_in_the_project_file_configures_a_tool() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_configured("mypy", folder.path()));
        std::fs::write(folder.path().join("pyproject.toml"), "[tool.mypy]\nstrict = true\n")
            .unwrap();
        assert!(is_configured("mypy", folder.path()));
        assert!(!is_configured("pyright", folder.path()));
    }
}
