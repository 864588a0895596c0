import Foundation
import StreamProbe
import TestSupport
import Testing

/// Numbers that are the same in every run: a linear congruential generator.
///
/// Constants: D. Knuth, The Art of Computer Programming, vol. 2, section 3.3.4 (MMIX).
private struct Delays {
    private var state: UInt64 = 20

    /// A time up to a limit, in microseconds.
    mutating func next(below limit: UInt32) -> UInt32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt32(state >> 33) % limit
    }
}

@Suite(.timeLimit(.minutes(5))) struct KillTests {
    /// A writer is killed at random moments and started again, 200 times; a follower checks every
    /// value of every block, and each finished stream is compared with an undisturbed one.
    @Test func aKilledWritersStreamIsThatOfAnUndisturbedOne() throws {
        let kills = 200
        let folder = TemporaryFolder()
        let stream = SyntheticStream(blocks: 12, rows: 128)
        try stream.write(to: folder.path("undisturbed"))
        let expected = try contents(folder.path("undisturbed"))
        var delays = Delays()
        var killed = 0
        var finished = 0
        while killed < kills {
            let path = folder.path("stream-\(finished)")
            let follower = Background { try stream.follow(path, following: .restarting) }
            var isFinished = false
            while !isFinished {
                let process = try Probe.start(
                    "write", "path=\(path)", "blocks=12", "rows=128", "pause=200")
                usleep(delays.next(below: 60_000))
                Probe.kill(process)
                if process.terminationReason == .uncaughtSignal {
                    killed += 1
                } else {
                    try #require(process.terminationStatus == 0)
                    isFinished = true
                }
            }
            try #require(try follower.value() == 12)
            #expect(try contents(path) == expected)
            try FileManager.default.removeItem(atPath: path)
            finished += 1
        }
        print("\(killed) kills, \(finished) streams finished")
        #expect(finished > 1)
    }
}
