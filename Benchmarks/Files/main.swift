// bench-files [FOLDER [GIGABYTES [ROUNDS]]]: tensor files against `cp`, in the same folder and the same run.
//
// Every round writes a file through the writer, flushed as `commit` does, copies it with `cp` alone and with
// `cp` and `sync`, and reads it through the reader, each starting with a disk that has nothing left to write.
// Times are medians; a first round is not counted.

import Foundation
import Tensors

let arguments = Array(CommandLine.arguments.dropFirst())
let folder = arguments.first ?? NSTemporaryDirectory()
let byteCount = (arguments.dropFirst().first.flatMap { Int($0) } ?? 4) << 30
let rounds = arguments.dropFirst(2).first.flatMap { Int($0) } ?? 3
let (original, copy) = ("\(folder)/bench.safetensors", "\(folder)/bench-copy.safetensors")

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let elapsed = try ContinuousClock().measure(body)
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
}

/// Runs a program; traps if it fails.
func run(_ program: String, _ arguments: String...) throws {
    let process = try Process.run(URL(fileURLWithPath: program), arguments: arguments)
    process.waitUntilExit()
    precondition(process.terminationStatus == 0, program)
}

/// Writes a file of one tensor from memory, as a stage that has computed a part of it at a time.
func write() throws {
    let part = [UInt64](repeating: 0x0123_4567_89AB_CDEF, count: 8 << 20)
    let writer = try TensorFileWriter(
        path: original,
        tensors: [TensorDescriptor(name: "t", dataType: .uint8, shape: [byteCount])])
    try part.withUnsafeBytes { part in
        for offset in stride(from: 0, to: byteCount, by: part.count) {
            let count = min(part.count, byteCount - offset)
            try writer.write(UnsafeRawBufferPointer(rebasing: part[..<count]), to: "t", at: offset)
        }
    }
    try writer.commit()
}

/// Reads every byte of a file's tensor where it lies; returns their sum.
func read(_ path: String) throws -> UInt64 {
    let file = try TensorFile(path: path)
    file.advise(.sequential, "t")
    return try file.tensor("t").bytes.withMemoryRebound(to: UInt64.self) { words in
        words.reduce(0, &+)
    }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

var times: [String: [Double]] = [:]
var sums: Set<UInt64> = []

/// Times `body` when the disk has nothing left to write.
@MainActor func measure(_ name: String, _ body: () throws -> Void) throws {
    try run("/bin/sync")
    times[name, default: []].append(try seconds(body))
}

for round in 0...rounds {
    for path in [original, copy] { unlink(path) }
    try measure("write and flush") { try write() }
    try measure("cp") { try run("/bin/cp", original, copy) }
    unlink(copy)
    try measure("cp and sync") {
        try run("/bin/cp", original, copy)
        try run("/bin/sync", copy)
    }
    unlink(copy)
    try measure("read, in the page cache") { sums.insert(try read(original)) }
    // The first round finds memory and disk blocks that nobody has touched yet.
    if round == 0 { times = [:] }
}
unlink(original)
precondition(sums.count == 1)

let rate = { (name: String) in Double(byteCount) / median(times[name] ?? [.nan]) / 1e9 }
for name in times.keys.sorted() {
    let spread = (times[name] ?? []).sorted().map { String(format: "%.2f", $0) }
    print(name, spread.joined(separator: " "), "s,", String(format: "%.2f GB/s", rate(name)))
}
for (name, other) in [
    ("write and flush", "cp"), ("write and flush", "cp and sync"),
    ("read, in the page cache", "cp"),
] {
    print("\(name) / \(other):", String(format: "%.2f", rate(other) / rate(name)))
}
