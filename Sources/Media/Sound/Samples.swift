/// A stretch of sound: float samples in [-1, 1], one plane per channel, plane after plane.
public struct Samples: Sendable, Equatable {
    /// Number of planes, at least one.
    public let channels: Int
    /// [channels, count], row-major.
    public let values: [Float]

    /// Samples from planes that lie one after another; traps if they are not equally long.
    public init(channels: Int, values: [Float]) {
        precondition(channels > 0 && values.count.isMultiple(of: channels))
        self.channels = channels
        self.values = values
    }

    /// Samples from planes; traps if there are none or they are not equally long.
    public init(planes: [[Float]]) {
        precondition(planes.allSatisfy { $0.count == planes[0].count })
        self.init(channels: planes.count, values: Array(planes.joined()))
    }

    /// Samples in each plane.
    public var count: Int { values.count / channels }

    /// The samples of one channel.
    public subscript(channel: Int) -> ArraySlice<Float> {
        values[channel * count..<(channel + 1) * count]
    }

    /// The first samples of each plane, at most `limit`; the rest follows.
    func split(at limit: Int) -> (head: Samples, tail: Samples) {
        (
            Samples(planes: (0..<channels).map { Array(self[$0].prefix(limit)) }),
            Samples(planes: (0..<channels).map { Array(self[$0].dropFirst(limit)) })
        )
    }

    /// These samples and then others of as many channels.
    func followed(by others: Samples) -> Samples {
        count == 0 ? others : Samples(planes: (0..<channels).map { Array(self[$0] + others[$0]) })
    }
}
