import Artifacts
import Tensors

extension Overview {
    /// The lines above the table: what, where from, how much; what is not known is called unknown.
    public var head: [String] {
        var fields: [(String, [String])] = [
            (stream == nil ? "file" : "stream", [plain(path)]),
            ("format", [format]),
            ("kind", [kind.map(printable) ?? "unknown"]),
            ("version", [version.map(printable) ?? "unknown"]),
        ]
        if let stream { fields += stream.fields }
        if let lora { fields.append(("lora", [lora.text])) }
        let others = metadata.sorted { $0.key < $1.key }
        if !others.isEmpty {
            fields.append(("metadata", others.map { "\(printable($0)): \(printable($1))" }))
        }
        fields.append(("provenance", provenance?.outline.map(plain) ?? ["unknown"]))
        if stream == nil {
            let bytes = tensors.reduce(0) { $0 + $1.tensor.byteCount }
            fields.append(("tensors", ["\(tensors.count), \(bytes) bytes"]))
        }
        return Self.lines(fields)
    }

    /// Fields in two columns, further lines of a field under its first.
    private static func lines(_ fields: [(name: String, lines: [String])]) -> [String] {
        let width = (fields.map(\.name.count).max() ?? 0) + 2
        return fields.flatMap { name, lines in
            lines.enumerated().map { index, line in
                (index == 0 ? name : "").padding(to: width) + line
            }
        }
    }
}

extension LoRASummary {
    /// In words.
    var text: String {
        let ranks = ranks.map(String.init).joined(separator: ", ")
        let rest = others > 0 ? ", \(others) whole weights" : ""
        return "\(pairs) pairs of rank \(ranks)\(rest)"
    }
}

extension StreamState {
    /// A word on how far the stream has come.
    public var progress: String {
        if isComplete { return "complete" }
        if end != nil { return "ended, but blocks are missing" }
        let activity = isBeingWritten ? "being written" : "nobody writes it"
        return "unfinished, \(activity)"
    }

    /// The fields of the head.
    fileprivate var fields: [(String, [String])] {
        var fields = [("state", [progress]), ("blocks", [blocksText])]
        if !failures.isEmpty { fields.append(("failed", failures.map(printable))) }
        if consumedBefore > 0 { fields.append(("consumed", ["before \(consumedBefore)"])) }
        let ranges = parts.compactMap(\.range)
        if !ranges.isEmpty { fields.append(("parts", [text(ranges)])) }
        fields.append(("frames", [framesText]))
        if description.kind == .latents { fields.append(("steps", [stepsText])) }
        if let end {
            fields.append(("digest", [end.sha256.map(printable) ?? "unknown"]))
            if let inputs = end.inputs {
                fields.append(("followed", inputs.map { plain("\($0.role): \($0.summary)") }))
            }
        }
        return fields
    }

    private var blocksText: String {
        let all = expectedBlocks.map(String.init) ?? "an unknown number"
        let missing = missing.isEmpty ? "" : ", missing \(text(missing))"
        let lead = description.leadTensors.isEmpty || hasLead ? "" : ", missing the lead"
        return "\(blocks.count) of \(all)\(missing)\(lead)"
    }

    private var framesText: String {
        let block = description.framesPerBlock.map { "\($0) per block" } ?? "unknown per block"
        let first = description.firstBlockFrames.map { ", \($0) in the first" } ?? ""
        let rate = description.framesPerSecond.map { "\(shortest($0)) per second" }
        return "\(block)\(first), \(rate ?? "unknown per second")"
    }

    private var stepsText: String {
        func word(_ value: (some CustomStringConvertible)?) -> String {
            value.map { printable($0.description) } ?? "unknown"
        }
        return "\(word(description.stepsDone)) of \(word(description.steps)), "
            + "solver \(word(description.solver)), seed \(word(description.seed))"
    }

    /// Ranges of blocks, first and last, as in "0-9, 12".
    private func text(_ ranges: [Range<Int>]) -> String {
        ranges.map { range in
            range.count == 1
                ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound - 1)"
        }.joined(separator: ", ")
    }
}
