import Foundation
import Synchronization

/// Runs of the probe executable, which lies beside the tests.
enum Probe {
    /// The probe's path.
    static let path: String = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("StreamWriterProbe").path
    }()

    /// Starts the probe.
    static func start(_ arguments: String...) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Kills a process as `kill -9` does and waits for its end.
    static func kill(_ process: Process) {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A thread of its own for something that blocks, so that no thread of the tests' pool does.
final class Background<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    /// Starts the thread.
    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            done.signal()
        }.start()
    }

    /// What came out; throws what was thrown, or `TimedOut`.
    func value(within seconds: Double = 30) throws -> Value {
        guard done.wait(timeout: .now() + seconds) == .success else { throw TimedOut() }
        done.signal()
        return try outcome.withLock { $0 }!.get()
    }

    /// Whether it still runs.
    var isRunning: Bool { outcome.withLock { $0 == nil } }
}

/// A wait that took too long.
struct TimedOut: Error {}

/// The one-line description of what `body` throws; nil if it throws nothing.
func message<Value>(of body: () throws -> Value) -> String? {
    do {
        _ = try body()
        return nil
    } catch {
        return "\(error)"
    }
}

/// Waits until `condition` holds; false if it does not for a while.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        usleep(5000)
    }
    return false
}

/// The files of a folder by name, but for locks.
func contents(_ folder: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return Dictionary(
        uniqueKeysWithValues: try names.filter { $0 != ".lock" }.map {
            ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")))
        })
}
