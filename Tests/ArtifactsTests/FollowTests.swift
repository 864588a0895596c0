import Artifacts
import Foundation
import StreamProbe
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct FollowTests {
    let folder = TemporaryFolder()
    let stream = SyntheticStream(blocks: 4)

    /// Where the stream is written.
    var path: String { folder.path("latents") }

    /// A follower that has a thread of its own.
    func follower(
        _ following: StreamReader.Following, _ cancellation: Cancellation? = nil
    ) -> Background<Int> {
        Background { [stream, path] in
            try stream.follow(path, following: following, cancellation: cancellation)
        }
    }

    @Test func wakesForEachBlockAndForTheEnd() throws {
        let writer = try StreamWriter(path: path, description: stream.description)
        let seen = Mutex(-1)
        let reader = Background { [path] in
            let reader = try StreamReader(path: path, kind: .latents, following: .running)
            var index = 0
            while try reader.block(index) != nil {
                seen.withLock { $0 = index }
                index += 1
            }
            return index
        }
        try writer.writeLead { try stream.fill(-1, $0) }
        for index in 0..<4 {
            try writer.write(index) { try stream.fill(index, $0) }
            #expect(eventually { seen.withLock { $0 } == index })
        }
        #expect(reader.isRunning)
        try writer.finish()
        #expect(try reader.value() == 4)
    }

    @Test func aFailureIsToldAtOnce() throws {
        let writer = try StreamWriter(path: path, description: stream.description)
        let reader = follower(.running)
        usleep(50_000)
        writer.fail("no space left")
        #expect(
            message { try reader.value() }
                == "cannot follow '\(path)': its writer failed: no space left")
        let again = try StreamWriter(path: path, description: stream.description)
        #expect(try contents(path)["failed.json"] == nil)
        try stream.write(with: again)
        try again.finish()
        #expect(try follower(.running).value() == 4)
    }

    @Test func endsWithTheWritersFailure() throws {
        let process = try Probe.start("write", "path=\(path)", "blocks=4", "fail=2", "pause=10000")
        let reader = follower(.starting)
        #expect(
            message { try reader.value() }
                == "cannot follow '\(path)': its writer failed: the weights have gone")
        process.waitUntilExit()
    }

    @Test func noticesADeadWriter() throws {
        let process = try Probe.start("write", "path=\(path)", "blocks=4", "hold=2")
        let reader = follower(.starting)
        let last = "\(path)/000001.safetensors"
        #expect(eventually { FileManager.default.fileExists(atPath: last) })
        usleep(100_000)
        #expect(reader.isRunning)
        Probe.kill(process)
        #expect(
            message { try reader.value() }
                == "cannot follow '\(path)': its writer died or stopped before '000002.safetensors'"
        )
    }

    /// What is waited for while nobody writes it is told, each thing once.
    @Test func tellsWhatNobodyWritesYet() throws {
        let notes = Mutex<[String]>([])
        let reader = Background { [path] in
            let reader = try StreamReader(
                path: path, kind: .latents, following: .restarting,
                noteWaiting: { note in notes.withLock { $0.append(note) } })
            var index = 0
            while try reader.block(index) != nil { index += 1 }
            return index
        }
        #expect(eventually { notes.withLock { $0 }.count == 1 })
        let writer = try StreamWriter(path: path, description: stream.description)
        try writer.writeLead { try stream.fill(-1, $0) }
        try writer.write(0) { try stream.fill(0, $0) }
        writer.fail("no space left")
        #expect(eventually { notes.withLock { $0 }.count == 2 })
        let again = try StreamWriter(path: path, description: stream.description)
        for index in 1..<4 { try again.write(index) { try stream.fill(index, $0) } }
        try again.finish()
        #expect(try reader.value() == 4)
        #expect(
            notes.withLock { $0 } == [
                "waiting for somebody to begin '\(path)'",
                "waiting for '000001.safetensors' of '\(path)', which nobody is writing yet",
            ])
    }

    @Test func noticesAWriterThatStops() throws {
        var writer: StreamWriter? = try StreamWriter(path: path, description: stream.description)
        try writer?.writeLead { try stream.fill(-1, $0) }
        let other = try StreamReader(path: path, kind: .latents, following: .running)
        #expect(try other.isBeingWritten)
        let reader = follower(.running)
        usleep(50_000)
        #expect(reader.isRunning)
        writer = nil
        #expect(try !other.isBeingWritten)
        #expect(
            message { try reader.value() }
                == "cannot follow '\(path)': its writer died or stopped before '000000.safetensors'"
        )
    }

    @Test func refusesAStreamThatNobodyWrites() throws {
        do {
            let writer = try StreamWriter(path: path, description: stream.description)
            try writer.writeLead { try stream.fill(-1, $0) }
        }
        #expect(
            message { try follower(.running).value() }
                == "cannot follow '\(path)': '000000.safetensors' is missing and nobody is writing it"
        )
    }

    @Test func onlyTheWriterOfTheBlockCounts() throws {
        let first = try StreamWriter(path: path, description: stream.description, range: 0..<2)
        try first.writeLead { try stream.fill(-1, $0) }
        var second: StreamWriter? = try StreamWriter(
            path: path, description: stream.description, range: 2..<4)
        #expect(second?.next == 2)
        let reader = Background { [path] in
            let reader = try StreamReader(
                path: path, kind: .latents, following: .running, needs: 2..<4)
            return try reader.block(2) != nil
        }
        usleep(50_000)
        #expect(reader.isRunning)
        second = nil
        #expect(message { try reader.value() }?.contains("its writer died or stopped") == true)
    }

    @Test(arguments: [true, false])
    func waitsForAStreamToBegin(_ folderIsThere: Bool) throws {
        if folderIsThere {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        let reader = follower(.starting)
        usleep(100_000)
        #expect(reader.isRunning)
        let process = try Probe.start("write", "path=\(path)", "blocks=4", "pause=1000")
        #expect(try reader.value() == 4)
        process.waitUntilExit()
    }

    @Test func waitsForAWriterToGoOnOnce() throws {
        let first = try Probe.start("write", "path=\(path)", "blocks=4", "die=1")
        first.waitUntilExit()
        let reader = follower(.starting)
        usleep(100_000)
        #expect(reader.isRunning)
        let second = try Probe.start("write", "path=\(path)", "blocks=4", "die=3", "pause=1000")
        second.waitUntilExit()
        #expect(
            message { try reader.value() }
                == "cannot follow '\(path)': its writer died or stopped before '000003.safetensors'"
        )
    }

    @Test func survivesRestartsIfAskedTo() throws {
        let reader = follower(.restarting)
        for death in 0..<4 {
            try Probe.start("write", "path=\(path)", "blocks=4", "die=\(death)").waitUntilExit()
            usleep(20_000)
            #expect(reader.isRunning)
        }
        try Probe.start("write", "path=\(path)", "blocks=4").waitUntilExit()
        #expect(try reader.value() == 4)
    }

    @Test(arguments: [StreamReader.Following.running, .starting])
    func cancellingWakes(_ following: StreamReader.Following) throws {
        let writer =
            following == .running
            ? try StreamWriter(path: path, description: stream.description) : nil
        let cancellation = Cancellation()
        let reader = follower(following, cancellation)
        usleep(50_000)
        #expect(reader.isRunning)
        cancellation.cancel()
        #expect(throws: CancellationError.self) { try reader.value() }
        #expect(throws: CancellationError.self) { try cancellation.check() }
        withExtendedLifetime(writer) {}
    }

    @Test func noticesThatTheStreamWasReplaced() throws {
        do {
            let writer = try StreamWriter(path: path, description: stream.description)
            try writer.writeLead { try stream.fill(-1, $0) }
        }
        let reader = follower(.starting)
        usleep(50_000)
        #expect(reader.isRunning)
        var other = stream
        other.seed = 7
        let writer = try StreamWriter(path: path, description: other.description, overwrite: true)
        #expect(
            message { try reader.value() }
                == "cannot read '\(path)': it was replaced while being read: the seed is 7, it was 420"
        )
        withExtendedLifetime(writer) {}
    }

    @Test func noticesThatTheFolderWasRemoved() throws {
        var writer: StreamWriter? = try StreamWriter(path: path, description: stream.description)
        try writer?.writeLead { try stream.fill(-1, $0) }
        let reader = follower(.restarting)
        usleep(50_000)
        try FileManager.default.removeItem(atPath: path)
        #expect(message { try writer?.write(0) { try stream.fill(0, $0) } } != nil)
        writer = nil
        #expect(
            message { try reader.value() } == "cannot open '\(path)': No such file or directory")
    }

    /// A thread that made a system call, was woken or looked at anything has changed one of these.
    @Test func makesNoSystemCallWhileItWaits() throws {
        let writer = try StreamWriter(path: path, description: stream.description)
        try writer.writeLead { try stream.fill(-1, $0) }
        try writer.write(0) { try stream.fill(0, $0) }
        let thread = Mutex("")
        let cancellation = Cancellation()
        let reader = Background { [stream, path] in
            let link = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/thread-self")
            thread.withLock { $0 = "/proc/\(link)" }
            return try stream.follow(path, following: .running, cancellation: cancellation)
        }
        #expect(eventually { thread.withLock { !$0.isEmpty } })
        func activity() throws -> [String] {
            let folder = thread.withLock { $0 }
            func text(_ name: String) throws -> String {
                try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
            // Nanoseconds on a processor and times put on one; then waits and preemptions.
            return try [text("schedstat")]
                + text("status").split(separator: "\n").filter { $0.contains("ctxt_switches") }
                .map(String.init)
        }
        // It takes a moment until it sleeps, longer on a busy machine.
        var before = try activity()
        for _ in 0..<20 {
            usleep(300_000)
            let now = try activity()
            if now == before { break }
            before = now
        }
        usleep(1_500_000)
        #expect(try activity() == before)
        #expect(before.count == 3)
        #expect(reader.isRunning)
        cancellation.cancel()
        #expect(throws: CancellationError.self) { try reader.value() }
        withExtendedLifetime(writer) {}
    }
}
