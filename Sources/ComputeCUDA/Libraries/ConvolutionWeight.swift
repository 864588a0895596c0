import Compute
import Tensors

/// The weight of a convolution as cuDNN reads it: [groups x outputs, taps, inputs], channels-last and filled up with zeros.
final class ConvolutionWeight: Storage {
    /// Outputs and inputs of each group.
    let channels: ConvolutionChannels
    /// [groups x padded outputs, taps, padded inputs]
    let elements: Tensor
    var byteCount: Int { elements.byteCount }

    init(channels: ConvolutionChannels, elements: Tensor) {
        self.channels = channels
        self.elements = elements
    }

    /// One group's part of the elements.
    func group(_ index: Int) -> Tensor {
        let rows = channels.paddedOutputs
        return elements.rows(index * rows..<(index + 1) * rows)
    }
}

extension CUDADevice {
    /// A weight for `convolution` made of a row-major one, [o, c / groups, kt, kh, kw].
    func convolutionWeight(_ raw: Tensor, groups: Int) throws -> Tensor {
        precondition(raw.shape.rank == 5 && raw.isContiguous && raw.shape[0] % groups == 0)
        let taps = raw.shape[2] * raw.shape[3] * raw.shape[4]
        let channels = ConvolutionChannels(
            groups: groups, inputs: raw.shape[1], outputs: raw.shape[0] / groups)
        let flat = raw.reshaped([raw.shape[0], raw.shape[1], taps])
        // With one tap or one channel there is nothing to turn.
        let turned =
            taps == 1 || channels.inputs == 1
            ? raw.reshaped([raw.shape[0], taps, channels.inputs])
            : try permuted(flat, axes: [0, 2, 1])
        let elements = channels.areWhole ? turned : try filledUp(turned, channels)
        return Tensor(
            storage: ConvolutionWeight(channels: channels, elements: elements), shape: raw.shape,
            dataType: raw.dataType)
    }

    /// [groups x outputs, taps, inputs] with zeros between groups and behind inputs.
    private func filledUp(_ weight: Tensor, _ channels: ConvolutionChannels) throws -> Tensor {
        let (taps, rows) = (weight.shape[1], channels.paddedOutputs)
        let whole = try zeros(
            [channels.groups * rows, taps, channels.paddedInputs], weight.dataType)
        for group in 0..<channels.groups {
            let source = group * channels.outputs..<(group + 1) * channels.outputs
            let target = whole.rows(group * rows..<group * rows + channels.outputs)
            try copy(weight.rows(source), into: target.columns(0..<channels.inputs))
        }
        return whole
    }
}
