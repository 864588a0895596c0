import CKernels

/// The threads on which operations run: OpenMP's pool, which oneDNN uses too.
///
/// Work is divided into ranges that depend on nothing but the amount of work and the number of threads, and every
/// element is computed by one thread alone, so that results do not depend on timing.
struct Workers {
    /// Number of threads.
    let count: Int

    /// This many threads; by default the cores that the process may use, or OMP_NUM_THREADS.
    init(count: Int?) {
        self.count = max(1, count ?? Int(kernels_default_threads()))
    }

    /// Makes oneDNN use these threads when called from the present thread.
    func prepare() {
        kernels_set_threads(Int32(count))
    }

    /// Calls `body` with ranges that cover `0..<total`, one for each thread, all in parallel; with fewer where a
    /// range would be shorter than `minimum`, which is what is worth waking a thread for.
    func forRanges(of total: Int, minimum: Int = 1, _ body: (Range<Int>) -> Void) {
        let parts = min(count, max(1, total / max(1, minimum)))
        guard parts > 1 else {
            if total > 0 { body(0..<total) }
            return
        }
        run(parts) { part in
            let range = total * part / parts..<total * (part + 1) / parts
            if !range.isEmpty { body(range) }
        }
    }

    /// Calls `body` with each of `0..<parts`, each on a thread of its own.
    private func run(_ parts: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var call = body
            withUnsafeMutablePointer(to: &call) { context in
                kernels_parallel(
                    Int32(parts),
                    { thread, context in
                        let call = context?.assumingMemoryBound(to: ((Int) -> Void).self)
                        call?.pointee(Int(thread))
                    }, context)
            }
        }
    }
}
