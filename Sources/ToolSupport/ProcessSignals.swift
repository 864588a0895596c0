import Glibc
import Tensors

/// What the process does when it is told to stop: removes what it has half written, says so, ends.
enum ProcessSignals {
    /// Starts a thread that waits for SIGINT and SIGTERM. To be called before any other thread starts, since
    /// threads inherit the mask that reserves the signals for it.
    static func install(tool: String) {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] where !isIgnored(number) { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        startThread { [signals] in
            var signals = signals
            var number: Int32 = 0
            while sigwait(&signals, &number) != 0 {}
            PartialFile.removeAll()
            StandardError.write("\(tool): \(number == SIGINT ? "interrupted" : "terminated")\n")
            // 128 + n is what shells report for a process that signal n ended.
            _exit(128 + number)
        }
    }

    /// Whether whoever started the process wants it to go on after a signal, as shells do for SIGINT in
    /// scripts' background jobs.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if code == 0 { pthread_detach(thread) } else { box.release() }
    }

    private final class ThreadBody: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
