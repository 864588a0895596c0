// fuzz-readers [COUNT [SEED]]: opens COUNT damaged files and says what came of them.

import Foundation
import ReaderFuzzing
import TestSupport

let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
let count = Int(arguments.first ?? 100_000)
let seed = arguments.dropFirst().first ?? 1
/// Memory, since the inputs are written and forgotten a million times.
let folder = "/dev/shm/fuzz-readers-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
print("\(count) inputs of seed \(seed); the one at hand is in \(folder)")

var fuzzer = try ReaderFuzzer(seed: seed, folder: folder)
let start = ContinuousClock.now
try fuzzer.run(count: count)
let elapsed = ContinuousClock.now - start
for (kind, tally) in fuzzer.tallies.sorted(by: { $0.key < $1.key }) {
    print("\(kind): \(tally.opened) opened, \(tally.refused) refused")
}
print(
    "slowest input: \(fuzzer.slowest); peak memory: \(ProcessMemory.peak >> 20) MB; in \(elapsed)")
try FileManager.default.removeItem(atPath: folder)
