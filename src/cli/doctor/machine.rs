//! The machine as far as it matters to a model: processor, its vector units, memory.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::Row;
use crate::cli::output;

/// What is known of it.
pub(super) fn rows() -> Vec<Row> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let hardware = Hardware::read();
    vec![
        ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH).into()),
        ("processor", hardware.processor.into()),
        ("physical cores", hardware.cores.into()),
        ("usable threads", threads.into()),
        ("vector units", vector_units().into()),
        ("memory", hardware.memory.map(output::size).into()),
        ("free memory", hardware.free.map(output::size).map_or(Json::Null, Json::from)),
    ]
}

/// What the system tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hardware {
    processor: Option<String>,
    cores: Option<usize>,
    memory: Option<u64>,
    free: Option<u64>,
}

impl Hardware {
    #[cfg(not(target_os = "macos"))]
    fn read() -> Self {
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self::of_proc(&text("/proc/cpuinfo"), &text("/proc/meminfo"))
    }

    #[cfg(target_os = "macos")]
    fn read() -> Self {
        let ask = |name: &str| {
            let output = std::process::Command::new("sysctl").args(["-n", name]).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Self {
            processor: ask("machdep.cpu.brand_string"),
            cores: ask("hw.physicalcpu").and_then(|text| text.parse().ok()),
            memory: ask("hw.memsize").and_then(|text| text.parse().ok()),
            free: None,
        }
    }

    /// Reads Linux's `/proc/cpuinfo` and `/proc/meminfo`; empty elsewhere.
    #[cfg_attr(target_os = "macos", expect(dead_code, reason = "only the tests use it there"))]
    fn of_proc(cpuinfo: &str, meminfo: &str) -> Self {
        let value = |line: &str, key: &str| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        };
        let processor = cpuinfo.lines().find_map(|line| value(line, "model name"));
        let mut cores = HashSet::new();
        let mut package = String::new();
        for line in cpuinfo.lines() {
            if let Some(id) = value(line, "physical id") {
                package = id;
            }
            if let Some(id) = value(line, "core id") {
                cores.insert((package.clone(), id));
            }
        }
        let kilobytes = |key| {
            let line = meminfo.lines().find_map(|line| value(line, key))?;
            line.strip_suffix(" kB")?.parse::<u64>().ok().map(|size| size * 1024)
        };
        Self {
            processor,
            cores: (!cores.is_empty()).then_some(cores.len()),
            memory: kilobytes("MemTotal"),
            free: kilobytes("MemAvailable"),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn vector_units() -> Vec<&'static str> {
    [
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("f16c", std::is_x86_feature_detected!("f16c")),
        ("avx-vnni", std::is_x86_feature_detected!("avxvnni")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("avx512-vnni", std::is_x86_feature_detected!("avx512vnni")),
    ]
    .into_iter()
    .filter_map(|(name, found)| found.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn vector_units() -> Vec<&'static str> {
    [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
        ("i8mm", std::arch::is_aarch64_feature_detected!("i8mm")),
    ]
    .into_iter()
    .filter_map(|(name, found)| found.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn vector_units() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_counted_once_however_many_threads_they_have() {
        let thread = |package, core| {
            format!("model name\t: Chip X\nphysical id\t: {package}\ncore id\t\t: {core}\n\n")
        };
        let cpuinfo = [thread(0, 0), thread(0, 1), thread(0, 0), thread(1, 0)].concat();
        let hardware = Hardware::of_proc(&cpuinfo, "MemTotal:  2048 kB\nMemAvailable:  1024 kB\n");
        let expected = Hardware {
            processor: Some("Chip X".to_owned()),
            cores: Some(3),
            memory: Some(2 << 20),
            free: Some(1 << 20),
        };
        assert_eq!(hardware, expected);
        assert_eq!(Hardware::of_proc("", ""), Hardware::default());
    }
}
