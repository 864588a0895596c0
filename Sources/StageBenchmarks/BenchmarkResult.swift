import Compute
import Foundation

/// What timing a stage gave; the JSON of `bench-stages --json`, with names in snake case. `REPORT.md` says what they mean.
public struct BenchmarkResult: Codable, Hashable, Sendable {
    /// The stage's name.
    public var stage: String
    /// The device's name.
    public var device: String
    /// The type of activations.
    public var precision: String
    /// The type of large matrices.
    public var matrices: String
    /// The type of self-attention and its windows; nil where there is none.
    public var attention: String?
    /// Width and height of the video in pixels.
    public var size: [Int]
    /// Layers of the transformer; nil where there is none.
    public var layers: Int?
    /// By what the published widths were divided.
    public var widthDivisor: Int
    /// How the weights came to the device.
    public var loading: Loading
    /// Seconds from loaded weights to the first round.
    public var preparationSeconds: Double
    /// What was timed.
    public var works: [Work]
    /// Memory on the device.
    public var memory: Memory
    /// Kernels that ran, where the device tells.
    public var kernels: [String]?
    /// The share of each operation, where it was asked for.
    public var profile: Profile?

    /// The ways in which the device's libraries could do the work, with their times, where it was asked for.
    public var candidates: String?

    /// How the weights came to the device.
    public struct Loading: Codable, Hashable, Sendable {
        /// Bytes as published.
        public var bytes: Int
        /// How long it took.
        public var seconds: Double
    }

    /// The times of one kind of work.
    public struct Work: Codable, Hashable, Sendable {
        /// What was timed.
        public var name: String
        /// Seconds of its rounds.
        public var seconds: Spread
        /// Kernels of the project launched in a round, where the device tells.
        public var launches: Int?
        /// Calls of libraries in a round, each of one kernel or a few, where the device tells.
        public var libraryCalls: Int?
        /// Bytes that a round brought to the device of what is not kept there.
        public var fetchedBytes: Int
        /// Bytes that a round brought back.
        public var storedBytes: Int
    }

    /// Memory on the device; nil where it does not tell.
    public struct Memory: Codable, Hashable, Sendable {
        /// Bytes of tensors when all was loaded and prepared.
        public var allocatedBytes: Int?
        /// The most bytes of tensors at once.
        public var peakBytes: Int?
        /// Bytes that were set apart for tensors at the start.
        public var reservedBytes: Int?
        /// Bytes of them that were used at some time, holes between tensors included.
        public var reachedBytes: Int?
        /// Bytes in use on the whole card at the end, everyone's and the libraries' included.
        public var cardBytes: Int?
        /// Bytes that the process holds on the card at the end, where NVIDIA's library counts them.
        public var processBytes: Int?
    }

    /// One round with every operation timed by itself.
    public struct Profile: Codable, Hashable, Sendable {
        /// What the device reaches at best.
        public var rates: DeviceRates
        /// Seconds of the whole round. Devices that cannot put marks into their work are waited for at each operation.
        public var seconds: Double
        /// The operations, what took longest first.
        public var operations: [OperationProfile]
    }

    /// The result as text for programs.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

/// The middle and the ends of several times.
public struct Spread: Codable, Hashable, Sendable {
    /// How many there are.
    public let rounds: Int
    /// The shortest.
    public let min: Double
    /// Of ten, one is shorter.
    public let p10: Double
    /// As many are shorter as longer.
    public let median: Double
    /// Of ten, one is longer.
    public let p90: Double

    /// The spread of these times. Traps if there are none.
    public init(_ times: [Double]) {
        let sorted = times.sorted()
        func quantile(_ share: Double) -> Double {
            sorted[Int((share * Double(sorted.count - 1)).rounded())]
        }
        rounds = sorted.count
        min = sorted[0]
        p10 = quantile(0.1)
        median = quantile(0.5)
        p90 = quantile(0.9)
    }
}
