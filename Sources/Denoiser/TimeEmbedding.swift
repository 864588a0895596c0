import Compute
import Foundation
import Layers
import Tensors

/// The timestep as a vector, and as the six modulations that all blocks share. In float32.
package struct TimeEmbedding {
    let frequency: Int
    let first: Linear
    let second: Linear
    let projection: Linear

    /// The layers `time_embedding` and `time_projection`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        let dim = configuration.dim
        frequency = configuration.frequency
        first = Linear(
            scope.scope("time_embedding.0"), from: frequency, to: dim, as: .fixed(.float32))
        second = Linear(scope.scope("time_embedding.2"), from: dim, to: dim, as: .fixed(.float32))
        projection = Linear(
            scope.scope("time_projection.1"), from: dim, to: 6 * dim, as: .fixed(.float32))
    }

    /// Every parameter.
    var parameters: [Parameter] {
        first.parameters + second.parameters + projection.parameters
    }

    /// The vector [1, dim] and the modulations [6, dim] of a timestep, 0 to 1000.
    package func callAsFunction(
        _ timestep: Float, on device: any Device
    ) throws -> (vector: Tensor, modulations: Tensor) {
        let sinusoid = try device.tensor(
            Self.sinusoid(timestep, width: frequency), [1, frequency])
        let hidden = try first(sinusoid, on: device, activation: .silu, as: .float32)
        let vector = try second(hidden, on: device, as: .float32)
        let activated = try device.allocate(vector.shape, .float32)
        try device.activate(vector, .silu, into: activated)
        let modulations = try projection(activated, on: device, as: .float32)
        return (vector, modulations.reshaped([6, vector.shape[1]]))
    }

    /// cos and then sin of t * 10000^(-k / half), computed in float64: [width].
    package static func sinusoid(_ timestep: Float, width: Int) -> [Float] {
        let half = width / 2
        let angles = (0..<half).map {
            Double(timestep) * pow(10000, -Double($0) / Double(half))
        }
        return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
    }
}
