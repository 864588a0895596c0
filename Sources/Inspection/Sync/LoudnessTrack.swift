import Foundation
import Media

/// How loud a recording is at the frames of a film.
struct LoudnessTrack {
    /// Root mean squares [frames]: frame k under a window of 60 ms around k / rate seconds, silence outside.
    let values: [Double]

    /// Seconds of the Hann window; short enough for syllables.
    private static let windowSeconds = 0.06

    /// Measures samples, for as many frames as begin while they last.
    init(_ samples: [Float], rate: Int, framesPerSecond: Double) {
        let window = Self.window(count: Int(Self.windowSeconds * Double(rate)))
        let total = window.reduce(0) { $0 + $1 * $1 }
        let hop = Double(rate) / framesPerSecond
        values = (0..<Int((Double(samples.count) / hop).rounded(.up))).map { frame in
            let start = Int((Double(frame) * hop).rounded()) - window.count / 2
            let inside = max(start, 0)..<max(0, min(start + window.count, samples.count))
            let power = inside.reduce(0.0) { sum, index in
                let value = Double(samples[index]) * window[index - start]
                return sum + value * value
            }
            return (power / total).squareRoot()
        }
    }

    /// Reads a recording. Throws `MediaError`.
    init(path: String, framesPerSecond: Double) throws {
        let recording = try Waveform(path: path)
        self.init(recording.samples, rate: recording.rate, framesPerSecond: framesPerSecond)
    }

    private static func window(count: Int) -> [Double] {
        (0..<count).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(count)) }
    }
}
