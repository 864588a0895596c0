// A process that writes or follows a synthetic stream, for tests that kill it.
//
//     StreamWriterProbe write|follow path=P blocks=N [rows=R] [seed=S] [first=A end=B]
//                       [pause=MICROSECONDS] [fail=BLOCK] [die=BLOCK] [hold=BLOCK]

import Artifacts
import Glibc
import StreamProbe

let options = Dictionary(
    CommandLine.arguments.dropFirst(2).map { argument in
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }, uniquingKeysWith: { $1 })

/// A number among the options.
func number(_ name: String) -> Int? { options[name].flatMap { Int($0) } }

let path = options["path"] ?? ""
let stream = SyntheticStream(
    blocks: number("blocks") ?? 1, rows: number("rows") ?? 2,
    seed: UInt64(number("seed") ?? 420), leadFrames: number("lead") ?? 7)

/// Writes the stream, ending badly where the options say so.
func write() throws {
    let range = number("first").flatMap { first in number("end").map { first..<$0 } }
    let writer = try StreamWriter(path: path, description: stream.description, range: range)
    if try !writer.hasLead { try writer.writeLead { try stream.fill(-1, $0) } }
    for index in writer.missing.flatMap({ Array($0) }) {
        if index == number("fail") {
            writer.fail("the weights have gone")
            exit(1)
        }
        try writer.write(index) { file in
            try stream.fill(index, file) { usleep(UInt32(number("pause") ?? 0)) }
            if index == number("die") { raise(SIGKILL) }
            if index == number("hold") { while true { pause() } }
        }
    }
    try writer.finish()
}

do {
    if CommandLine.arguments.dropFirst().first == "follow" {
        print(try stream.follow(path, following: .starting))
    } else {
        try write()
    }
} catch {
    let line = Array("StreamWriterProbe: \(error)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, line, line.count)
    exit(1)
}
