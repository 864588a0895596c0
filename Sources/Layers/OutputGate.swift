import Compute
import Tensors

/// A gate behind a linear layer: what one number for each output, float32 [1, out], does to all rows.
///
/// A weight of 8 bits takes the gate into its scales, so that the layer adds onto the residual stream without a pass of its own
/// and without rounding what it adds. A gate belongs to one layer.
public final class OutputGate {
    /// [1, out]
    let factors: Tensor
    private var folded: (scales: Tensor, bias: Tensor?)?

    /// The gate with these factors.
    public init(_ factors: Tensor) {
        self.factors = factors
    }

    /// The scales and the bias of a layer times the gate, computed once.
    fileprivate func fold(
        _ scales: Tensor, _ bias: Tensor?, on device: any Device
    ) throws -> (scales: Tensor, bias: Tensor?) {
        if let folded { return folded }
        func gated(_ vector: Tensor) throws -> Tensor {
            let product = try device.allocate(vector.shape, .float32)
            try device.multiply(
                activating: vector, .identity, by: factors.reshaped(vector.shape), into: product)
            return product
        }
        let made = try device.holding(.long) { (try gated(scales), try bias.map(gated)) }
        folded = made
        return made
    }
}

extension Linear {
    /// y += gate * (x weightᵀ + bias): [rows, in] onto [rows, out].
    public func accumulate(
        _ x: Tensor, gate: OutputGate, onto y: Tensor, on device: any Device
    ) throws {
        let whole = weight.tensor
        guard let scales = whole.scales, whole.hasScaledRows else {
            return try device.accumulate(self(x, on: device), gate: gate.factors, onto: y)
        }
        let folded = try gate.fold(scales, bias?.tensor, on: device)
        try device.linear(
            x, weight: whole.numbers.scaled(byRows: folded.scales), bias: folded.bias,
            activation: .identity, accumulating: true, into: y)
    }
}
