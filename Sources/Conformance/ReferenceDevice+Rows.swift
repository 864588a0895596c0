import Compute
import Tensors

// MARK: - Norms

extension ReferenceDevice {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) {
        let (weights, biases) = (weight.map(values), bias.map(values))
        let (scales, shifts) = (grouped(scale, like: x), grouped(shift, like: x))
        mapRows(x, into: y) { row, elements in
            let mean = elements.reduce(0, +) / Double(elements.count)
            let variance =
                elements.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(elements.count)
            let factor = 1 / (variance + Double(epsilon)).squareRoot()
            return elements.indices.map { i in
                let normal = (elements[i] - mean) * factor * (weights?[i] ?? 1) + (biases?[i] ?? 0)
                return normal * (1 + (scales?[row][i] ?? 0)) + (shifts?[row][i] ?? 0)
            }
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) {
        let weights = values(weight)
        let width = weights.count
        let table = rotation.map(values)
        let head = rotation.map { 2 * $0.shape[1] } ?? width
        var result: [Double] = []
        for (row, elements) in split(values(x), width).enumerated() {
            let square = elements.reduce(0) { $0 + $1 * $1 } / Double(width)
            let factor = 1 / (square + Double(epsilon)).squareRoot()
            let normal = zip(elements, weights).map { $0 * factor * $1 }
            guard let table else {
                result += normal
                continue
            }
            let angles = Array(table[row * head..<(row + 1) * head])
            result += split(normal, head).flatMap { turned($0, by: angles) }
        }
        store(result, in: y)
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) {
        let (heads, head) = (x.shape[1], x.shape[2])
        let angles = split(values(table), head)
        mapRows(x, into: y) { row, elements in turned(elements, by: angles[row / heads]) }
    }

    /// Successive pairs turned by successive (cos, sin).
    private func turned(_ x: [Double], by angles: [Double]) -> [Double] {
        x.indices.map { i in
            i % 2 == 0
                ? x[i] * angles[i] - x[i + 1] * angles[i + 1]
                : x[i - 1] * angles[i] + x[i] * angles[i - 1]
        }
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) {
        let weights = values(weight)
        mapRows(x, into: y) { _, elements in
            let length = elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let factor = Double(elements.count).squareRoot() / max(length, 1e-12)
            return zip(elements, weights).map { activated($0 * factor * $1, activation) }
        }
    }
}

// MARK: - Elementwise

extension ReferenceDevice {
    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) {
        store(values(x).map { activated($0, activation) }, in: y)
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) {
        store(zip(values(x), values(factor)).map { activated($0, activation) * $1 }, in: y)
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) {
        let (addends, gates) = (grouped(addend, like: x), grouped(gate, like: x))
        let masks = mask.map(values)
        mapRows(x, into: y) { row, elements in
            elements.indices.map { i in
                let term = (addends?[row][i] ?? 0) * (gates?[row][i] ?? 1) * (masks?[row] ?? 1)
                return elements[i] + Double(alpha) * term
            }
        }
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) {
        let (scales, shifts) = (values(scale), values(shift))
        mapRows(x, into: y) { _, elements in
            elements.indices.map { elements[$0] * scales[$0] + shifts[$0] }
        }
    }
}

// MARK: - Rows

extension ReferenceDevice {
    /// Stores what `body` makes of the number and the elements of each row along the innermost axis.
    private func mapRows(_ x: Tensor, into y: Tensor, _ body: (Int, [Double]) -> [Double]) {
        guard x.shape.elementCount > 0 else { return }
        let rows = split(values(x), x.shape[-1])
        store(rows.enumerated().flatMap { body($0, $1) }, in: y)
    }

    /// For each row of x the row of `tensor` that stands for its group.
    private func grouped(_ tensor: Tensor?, like x: Tensor) -> [[Double]]? {
        guard let tensor, x.shape.elementCount > 0 else { return nil }
        let rows = x.shape.elementCount / x.shape[-1]
        let groups = split(values(tensor), tensor.shape[-1])
        return (0..<rows).map { groups[$0 * groups.count / rows] }
    }

    private func split(_ values: [Double], _ width: Int) -> [[Double]] {
        guard width > 0 else { return [] }
        return stride(from: 0, to: values.count, by: width).map {
            Array(values[$0..<$0 + width])
        }
    }
}
