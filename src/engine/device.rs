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

/// The environment variables that set the number of CPU threads for quantized products. The tensor
/// library reads them once per process, when it first computes; nothing later changes it, so a
/// program that wants another number has to start itself with these set. Without the second one it
/// also counts the cores anew, from a file, for every unquantized product: that costs a small model
/// half its speed or more.
pub const THREAD_VARIABLES: [&str; 2] = ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"];

/// The number of CPU threads where none is asked for: physical cores, the fast ones where they
/// differ.
pub fn default_threads() -> usize {
    candle_core::utils::get_num_threads()
}

/// A device that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The device.
    pub device: Device,
    /// The device in words, for people: `cpu (2 threads)`, `cuda:0`, and why it is not a better
    /// one where one was tried.
    pub description: String,
    /// Why it is not a better one, as it stands in the description; empty where none was tried.
    pub reason: String,
    /// CPU threads that compute.
    pub threads: usize,
}

/// Opens the device asked for. `Auto` takes the first GPU of a back end that is compiled in, else
/// the CPU; a GPU that does not start is a warning then, and an error when asked for by name. A
/// model that is `small` runs on one CPU thread, whatever `threads` says.
pub fn open(
    choice: DeviceChoice,
    threads: Option<usize>,
    small: bool,
) -> Result<Opened, EngineError> {
    let cpu = |reason: &str| cpu(if small { 1 } else { shared_threads(threads) }, reason);
    match choice {
        DeviceChoice::Cpu => Ok(cpu("")),
        DeviceChoice::Cuda => cuda(),
        DeviceChoice::Metal => metal(),
        DeviceChoice::Auto if small => Ok(cpu("")),
        DeviceChoice::Auto => {
            let attempt = if cfg!(feature = "cuda") {
                cuda()
            } else if cfg!(feature = "metal") {
                metal()
            } else {
                return Ok(cpu(""));
            };
            attempt.or_else(|error| {
                tracing::warn!("{error}; using the CPU");
                Ok(cpu(&format!("; {error}")))
            })
        }
    }
}

/// Makes this thread, for as long as it lives, compute unquantized products with `threads` threads
/// of which it is one itself: with one, nothing it does waits for another thread.
pub(super) fn compute_here_with(threads: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).use_current_thread();
    // The thread belongs to the pool from here on; the handle is not needed.
    if let Err(error) = pool.build() {
        tracing::warn!("no threads of its own for the model: {error}");
    }
}

/// The number of threads that share quantized products, which is not ours to change.
fn shared_threads(wanted: Option<usize>) -> usize {
    let actual = candle_core::utils::barrier_pool().n_workers() + 1;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != actual) {
        let [first, second] = THREAD_VARIABLES;
        tracing::warn!(
            "computing with {actual} threads, not {wanted}: the number is fixed when the program \
             starts, by {first} and {second}"
        );
    }
    actual
}

fn cpu(threads: usize, reason: &str) -> Opened {
    let plural = if threads == 1 { "" } else { "s" };
    let description = format!("cpu ({threads} thread{plural}{reason})");
    Opened { device: Device::Cpu, description, reason: reason.to_owned(), threads }
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
    Ok(Opened { device, description: name.to_owned(), reason: String::new(), threads: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_says_its_threads() {
        let opened = open(DeviceChoice::Cpu, None, false).unwrap();
        assert!(opened.description.starts_with("cpu ("), "{}", opened.description);
        let small = open(DeviceChoice::Auto, Some(8), true).unwrap();
        assert_eq!((small.description.as_str(), small.threads), ("cpu (1 thread)", 1));
    }

    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    #[test]
    fn a_back_end_that_is_not_built_in_is_an_error_by_name_and_the_cpu_by_default() {
        for choice in [DeviceChoice::Cuda, DeviceChoice::Metal] {
            let error = open(choice, None, false).unwrap_err().to_string();
            assert!(error.contains("--features"), "{error}");
        }
        assert!(open(DeviceChoice::Auto, None, false).unwrap().device.is_cpu());
    }
}
