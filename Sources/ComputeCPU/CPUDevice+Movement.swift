import CKernels
import Compute
import Tensors

extension CPUDevice {
    public func copy(_ x: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape)
        guard x.dataType != y.dataType || x.scales != nil || y.scales != nil else {
            return copyBytes(x, into: y)
        }
        guard x.hasFloatRows && y.hasFloatRows else {
            throw unsupported("conversion of \(x.dataType) to \(y.dataType)")
        }
        try mapRows(x, into: y) { [kernels = kernels.pointee] _, x, y, width in
            // One of both is where it lies, so this is a second pass over a row in the cache.
            kernels.activate(kernel_identity, x, y, width)
        }
    }

    private func copyBytes(_ x: Tensor, into y: Tensor) {
        guard x.shape.elementCount > 0 else { return }
        let (inputs, outputs) = (Rows(x), Rows(y))
        let byteCount = inputs.width * x.dataType.size
        workers.forRanges(of: inputs.count, minimum: grain(width: byteCount)) { range in
            for row in range {
                outputs.address(row).copyMemory(from: inputs.address(row), byteCount: byteCount)
            }
        }
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        precondition(indices.dataType == .int32 && indices.isContiguous)
        precondition(y.shape == [indices.shape.elementCount, table.shape[-1]])
        guard y.shape.elementCount > 0 else { return }
        let (source, target) = (Rows(table), Rows(y))
        let numbers = indices.address.assumingMemoryBound(to: Int32.self)
        for index in 0..<target.count {
            precondition(0 <= numbers[index] && numbers[index] < source.count, "no such row")
        }
        workers.forRanges(of: target.count, minimum: grain(width: target.width)) { range in
            let (reader, writer) = (RowReader(source, kernels), RowWriter(target, kernels))
            for row in range {
                kernels.pointee.activate(
                    kernel_identity, reader[Int(numbers[row])], writer[row], target.width)
                writer.commit(row)
            }
        }
    }

    public func upsample(_ x: Tensor, into y: Tensor) throws {
        let (frames, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let isSplit = y.shape[0] == 2 * frames && 2 * y.shape[3] == x.shape[3]
        let parts = isSplit ? 2 : 1
        let channels = x.shape[3] / parts
        precondition(y.shape == [parts * frames, 2 * height, 2 * width, channels])
        precondition(x.dataType == y.dataType && x.isContiguous && y.isContiguous)
        guard y.shape.elementCount > 0 else { return }
        let (source, target) = (x.address, y.address)
        let pixel = channels * x.dataType.size
        let lines = parts * frames * 2 * height
        workers.forRanges(of: lines, minimum: grain(width: 2 * width * pixel)) { range in
            for line in range {
                let (frame, row) = (line / (2 * height), line % (2 * height))
                let from =
                    source
                    + ((frame / parts * height + row / 2) * width * parts + frame % parts) * pixel
                let to = target + line * 2 * width * pixel
                for column in 0..<width {
                    let pair = to + 2 * column * pixel
                    pair.copyMemory(from: from + column * parts * pixel, byteCount: pixel)
                    (pair + pixel).copyMemory(
                        from: from + column * parts * pixel, byteCount: pixel)
                }
            }
        }
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        precondition(x.shape == y.shape && x.isNumeric && y.dataType == .uint8)
        guard x.shape.elementCount > 0 else { return }
        let (inputs, outputs) = (Rows(x), Rows(y))
        workers.forRanges(of: inputs.count, minimum: grain(width: inputs.width)) { range in
            let reader = RowReader(inputs, kernels)
            for row in range {
                let (x, y) = (reader[row], outputs.address(row))
                for column in 0..<inputs.width {
                    // A pixel that is not a number becomes black.
                    let level = max(0, min(1, (x[column] + 1) / 2))
                    y.storeBytes(
                        of: UInt8(level.isNaN ? 0 : level * 255), toByteOffset: column,
                        as: UInt8.self)
                }
            }
        }
    }
}
