import Glibc

/// How the threads of oneDNN wait for one another.
///
/// libgomp's threads spin for milliseconds by default. Where several stages share the cores, as in a pipeline, they
/// then wait for threads that have no core: a denoiser beside other work was seen to take seven times as long. It reads
/// its environment when it is loaded, so the only way to tell it is to start again.
enum ThreadWaiting {
    /// Restarts the process with threads that sleep while they wait, unless the user chose how they do. Returns if there
    /// is nothing to do, or if it cannot be done, which costs speed only.
    static func restartWithoutSpinning() {
        let choices = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"]
        guard choices.allSatisfy({ getenv($0) == nil }) else { return }
        // By its own name: a process is called in lists as the file was when it started.
        guard let path = realpath("/proc/self/exe", nil) else { return }
        defer { free(path) }
        setenv(choices[0], "0", 1)
        execv(path, CommandLine.unsafeArgv)
    }
}
