extension ConvolutionProblem {
    /// Other convolutions by which this one could be done with a little work around it: nothing that cuDNN must add, more
    /// channels filled up with zeros, and frames or neighbours as further channels.
    package var alternatives: [ConvolutionProblem] {
        guard groups == 1, type == .bfloat16, stride.allSatisfy({ $0 == 1 }) else { return [] }
        var others: [ConvolutionProblem] = []
        if hasBias || hasResidual {
            var plain = self
            (plain.hasBias, plain.hasResidual) = (false, false)
            others.append(plain)
        }
        for granule in [16, 32, 64, 128] where channels < granule && channels * 4 > granule {
            others.append(with { $0.channels = granule })
        }
        for granule in [16, 32, 64, 128] where outputs < granule && outputs * 4 > granule {
            others.append(with { $0.outputs = granule })
        }
        if channels < 128 || outputs < 128 {
            others += [framesAsChannels, widthAsChannels, oneFrame].compactMap(\.self)
        }
        return others
    }

    /// The pictures of each output's frames side by side in the channels, and a kernel of one frame.
    package var framesAsChannels: ConvolutionProblem? {
        guard kernel.count == 3, kernel[0] > 1, batch == 1, leading[0] + trailing[0] == 0 else {
            return nil
        }
        return with {
            $0.batch = output[0]
            $0.channels = channels * kernel[0]
            $0.input.removeFirst()
            $0.kernel.removeFirst()
            $0.stride.removeFirst()
            $0.leading.removeFirst()
            $0.trailing.removeFirst()
        }
    }

    /// A pixel's neighbours to the right as further channels, which overlap in memory; rows have their zeros at the ends.
    var widthAsChannels: ConvolutionProblem? {
        guard let last = kernel.indices.last, kernel[last] > 1, kernel.count == 3 else {
            return nil
        }
        return with {
            let row = channels * (input[last] + leading[last] + trailing[last])
            $0.input[last] = output[last]
            $0.channels = channels * kernel[last]
            $0.kernel[last] = 1
            $0.leading[last] = 0
            $0.trailing[last] = 0
            $0.steps = [row * input[1], row, channels]
        }
    }

    /// One frame of the kernel on all pictures: as many of these as it has frames make the whole.
    var oneFrame: ConvolutionProblem? {
        framesAsChannels.map { folded in folded.with { $0.channels = channels } }
    }

    /// The problem with something changed.
    private func with(_ change: (inout ConvolutionProblem) -> Void) -> ConvolutionProblem {
        var other = self
        change(&other)
        return other
    }
}
