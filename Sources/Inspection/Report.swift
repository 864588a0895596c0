import Artifacts
import Foundation
import Tensors

/// Findings as JSON, an object a line; REPORT.md says what is in it.
public enum Report {
    /// The line of a file or a stream, with the statistics that were asked for, in the order of `rows`.
    public static func line(
        _ overview: Overview, rows: [Overview.Row], statistics: [Statistics] = []
    ) throws -> String {
        let tensors = rows.enumerated().map { index, row in
            TensorReport(row, index < statistics.count ? statistics[index] : nil)
        }
        return try encoded(
            OverviewReport(
                path: overview.path, format: overview.format, kind: overview.kind,
                version: overview.version, metadata: overview.metadata,
                provenance: overview.provenance, stream: overview.stream.map(StreamReport.init),
                tensors: tensors))
    }

    /// The line of a compared tensor.
    public static func line(_ row: Comparison.Row) throws -> String {
        var report = ComparisonReport(tensor: row.label, same: row.isSame)
        switch row.finding {
        case .difference(let difference):
            report.relativeError = difference.relativeError
            report.maxDifference = difference.maximum
        case .shapes(let mine, let theirs): report.shapes = [mine.dimensions, theirs.dimensions]
        case .missing(let path): report.missingIn = path
        }
        return try encoded(report)
    }

    /// The line of a film that was compared with a sound.
    public static func line(_ sync: LipSync) throws -> String {
        try encoded(
            LipSyncReport(
                frames: sync.frames, framesPerSecond: sync.framesPerSecond,
                whole: sync.whole, first: sync.first, last: sync.last))
    }

    private static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A file or a stream.
private struct OverviewReport: Encodable {
    let path: String
    let format: String
    let kind: String?
    let version: String?
    let metadata: [String: String]
    let provenance: Provenance?
    let stream: StreamReport?
    let tensors: [TensorReport]
}

/// A tensor and what its numbers are like.
private struct TensorReport: Encodable {
    let name: String
    let type: String
    let shape: [Int]
    let bytes: Int
    var min: Double?
    var max: Double?
    var mean: Double?
    var deviation: Double?
    var zeros: Int?
    var nan: Int?
    var inf: Int?

    init(_ row: Overview.Row, _ statistics: Statistics?) {
        name = row.label
        type = row.tensor.dataType.description
        shape = row.tensor.shape.dimensions
        bytes = row.tensor.byteCount
        guard let statistics else { return }
        (min, max) = (statistics.minimum, statistics.maximum)
        (mean, deviation) = (statistics.mean, statistics.deviation)
        (zeros, nan, inf) = (statistics.zeros, statistics.nans, statistics.infinities)
    }
}

/// How far a stream has come.
private struct StreamReport: Encodable {
    let description: StreamDescription
    let complete: Bool
    let beingWritten: Bool
    let blocksThere: Int
    let blocksExpected: Int?
    let missing: [[Int]]
    let hasLead: Bool
    let consumedBefore: Int
    let parts: [StreamPart]
    let failures: [String]
    let end: StreamEnd?

    init(_ state: StreamState) {
        description = state.description
        complete = state.isComplete
        beingWritten = state.isBeingWritten
        blocksThere = state.blocks.count
        blocksExpected = state.expectedBlocks
        missing = state.missing.map { [$0.lowerBound, $0.upperBound] }
        hasLead = state.hasLead
        consumedBefore = state.consumedBefore
        parts = state.parts
        failures = state.failures
        end = state.end
    }
}

/// A film and a sound.
private struct LipSyncReport: Encodable {
    let frames: Int
    let framesPerSecond: Double
    let whole: LipSync.Measures
    let first: LipSync.Measures
    let last: LipSync.Measures
}

/// A compared tensor.
private struct ComparisonReport: Encodable {
    let tensor: String
    let same: Bool
    var relativeError: Double?
    var maxDifference: Double?
    var shapes: [[Int]]?
    var missingIn: String?
}
