//! CPU, CUDA or Metal: the only place that asks which back ends are compiled in.

use candle_core::Device;

use super::EngineError;

/// Which device to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The best that is there.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
    /// The Apple GPU.
    Metal,
}

/// The environment variables that set the number of CPU threads. The two pools of the tensor
/// library read them once per process, when they first compute; nothing later changes them, so a
/// program that wants another number has to start itself with these set.
pub const THREAD_VARIABLES: [&str; 2] = ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"];

/// A device that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The device.
    pub device: Device,
    /// The device in words, for people: `cpu (2 threads)`, `cuda:0`, and why it is not a better
    /// one where one was tried.
    pub description: String,
}

/// Opens the device asked for. `Auto` takes the first GPU of a back end that is compiled in, else
/// the CPU; a GPU that does not start is a warning then, and an error when asked for by name.
pub fn open(choice: DeviceChoice, threads: Option<usize>) -> Result<Opened, EngineError> {
    match choice {
        DeviceChoice::Cpu => Ok(cpu(threads, "")),
        DeviceChoice::Cuda => cuda(),
        DeviceChoice::Metal => metal(),
        DeviceChoice::Auto => {
            let attempt = if cfg!(feature = "cuda") {
                cuda()
            } else if cfg!(feature = "metal") {
                metal()
            } else {
                return Ok(cpu(threads, ""));
            };
            attempt.or_else(|error| {
                tracing::warn!("{error}; using the CPU");
                Ok(cpu(threads, &format!("; {error}")))
            })
        }
    }
}

fn cpu(threads: Option<usize>, reason: &str) -> Opened {
    let actual = candle_core::utils::barrier_pool().n_workers() + 1;
    if let Some(wanted) = threads.filter(|wanted| *wanted != actual) {
        let [first, second] = THREAD_VARIABLES;
        tracing::warn!(
            "computing with {actual} threads, not {wanted}: the number is fixed when the program \
             starts, by {first} and {second}"
        );
    }
    let plural = if actual == 1 { "" } else { "s" };
    Opened { device: Device::Cpu, description: format!("cpu ({actual} thread{plural}{reason})") }
}

fn cuda() -> Result<Opened, EngineError> {
    opened("cuda:0", "cuda", cfg!(feature = "cuda"), || Device::new_cuda(0))
}

fn metal() -> Result<Opened, EngineError> {
    opened("metal:0", "metal", cfg!(feature = "metal"), || Device::new_metal(0))
}

fn opened(
    name: &str,
    feature: &str,
    compiled_in: bool,
    open: impl FnOnce() -> candle_core::Result<Device>,
) -> Result<Opened, EngineError> {
    let failed = |message: String| EngineError::Device { device: name.to_owned(), message };
    if !compiled_in {
        return Err(failed(format!(
            "this program was built without it; build it with --features {feature}"
        )));
    }
    let device = open().map_err(|error| failed(error.to_string()))?;
    Ok(Opened { device, description: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_says_its_threads() {
        let opened = open(DeviceChoice::Cpu, None).unwrap();
        assert!(opened.description.starts_with("cpu ("), "{}", opened.description);
    }

    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    #[test]
    fn a_back_end_that_is_not_built_in_is_an_error_by_name_and_the_cpu_by_default() {
        for choice in [DeviceChoice::Cuda, DeviceChoice::Metal] {
            let error = open(choice, None).unwrap_err().to_string();
            assert!(error.contains("--features"), "{error}");
        }
        assert!(open(DeviceChoice::Auto, None).unwrap().device.is_cpu());
    }
}
