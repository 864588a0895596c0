import Compute
import Tensors

/// What the VAE needs of the waist, in straight loops over integers modulo a prime, with which nothing is ever
/// rounded away: whatever a result depends on changes it, but for a chance of one in millions. Norm and softmax,
/// which need real numbers, are left out, and silu is another curve; which number reaches which is the same.
final class ExactDevice: Device {
    let name = "exact"
    let activationType = DataType.float32

    func allocate(_ shape: Shape, _ dataType: DataType) -> Tensor {
        Tensor(
            storage: ResidueStorage(count: shape.elementCount), shape: shape,
            dataType: dataType)
    }

    func load(_ views: [TensorView], as dataType: DataType, for use: TensorUse) -> Tensor {
        let rows = views.reduce(0) { $0 + $1.shape[0] }
        let tensor = allocate(
            Shape([rows] + views[0].shape.dimensions.dropFirst()), dataType)
        elements(tensor).elements = views.flatMap { $0.floats().map { Residue($0) } }
        return tensor
    }

    func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        let numbers = bytes.bindMemory(to: Float.self)
        for index in 0..<numbers.count {
            elements(tensor).elements[tensor.offset + index] = Residue(numbers[index])
        }
    }

    func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        for index in 0..<tensor.shape.elementCount {
            let number = elements(tensor).elements[tensor.offset + index].float
            bytes.storeBytes(of: number, toByteOffset: 4 * index, as: Float.self)
        }
    }

    func clear(_ tensor: Tensor) {
        put(Array(repeating: .zero, count: tensor.shape.elementCount), into: tensor)
    }

    func synchronize() {}

    private func elements(_ tensor: Tensor) -> ResidueStorage {
        guard let storage = tensor.storage as? ResidueStorage else {
            preconditionFailure("a tensor of another device")
        }
        return storage
    }
}

/// The elements of a tensor.
private final class ResidueStorage: Storage {
    var elements: [Residue]
    var byteCount: Int { elements.count * 4 }

    init(count: Int) { elements = Array(repeating: .zero, count: count) }
}

// MARK: - Operations

extension ExactDevice {
    func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) {
        precondition(y.shape == geometry.outputShape(input: x.shape, weight: weight.shape))
        precondition(
            weight.shape[1] == x.shape[3] && (residual.map { $0.shape == y.shape } ?? true))
        let source = gathered(x)
        let kernel = gathered(weight)
        let biases = bias.map(gathered)
        let residuals = residual.map(gathered)
        var index = 0
        scatter(into: y) {
            let place = Place(index, y.shape)
            var sum = (biases?[place.channel] ?? .zero) + (residuals?[index] ?? .zero)
            let taps = weight.shape
            for kt in 0..<taps[2] {
                let t = place.frame * geometry.stride.frames + kt - geometry.leading.frames
                guard (0..<x.shape[0]).contains(t) else { continue }
                for kh in 0..<taps[3] {
                    let h = place.row * geometry.stride.height + kh - geometry.leading.height
                    guard (0..<x.shape[1]).contains(h) else { continue }
                    for kw in 0..<taps[4] {
                        let w = place.column * geometry.stride.width + kw - geometry.leading.width
                        guard (0..<x.shape[2]).contains(w) else { continue }
                        let pixel = ((t * x.shape[1] + h) * x.shape[2] + w) * taps[1]
                        for c in 0..<taps[1] {
                            let tap = place.channel * taps[1] + c
                            sum =
                                sum + source[pixel + c]
                                * kernel[((tap * taps[2] + kt) * taps[3] + kh) * taps[4] + kw]
                        }
                    }
                }
            }
            index += 1
            return sum
        }
    }

    func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) {
        precondition(activation == .identity && weight.shape.rank == 2)
        precondition(x.shape[1] == weight.shape[1] && y.shape == [x.shape[0], weight.shape[0]])
        let source = gathered(x)
        let kernel = gathered(weight)
        let biases = bias.map(gathered)
        let before = accumulating ? gathered(y) : nil
        let width = x.shape[1]
        var index = 0
        scatter(into: y) {
            let (row, column) = index.quotientAndRemainder(dividingBy: y.shape[1])
            var sum = (biases?[column] ?? .zero) + (before?[index] ?? .zero)
            for c in 0..<width {
                sum = sum + source[row * width + c] * kernel[column * width + c]
            }
            index += 1
            return sum
        }
    }

    func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) {
        precondition(bias == nil && query.shape[2] == 1)
        let (queries, keys, values) = (gathered(query), gathered(key), gathered(value))
        let (count, width) = (query.shape[1], query.shape[3])
        var result: [Residue] = []
        for batch in 0..<query.shape[0] {
            for q in 0..<count {
                let scores = (0..<count).map { k in
                    (0..<width).reduce(Residue.zero) {
                        $0 + queries[(batch * count + q) * width + $1]
                            * keys[(batch * count + k) * width + $1]
                    }
                }
                result += (0..<width).map { c in
                    (0..<count).reduce(Residue.zero) {
                        $0 + scores[$1] * values[(batch * count + $1) * width + c]
                    }
                }
            }
        }
        put(result, into: out)
    }

    func channelNorm(_ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor) {
        precondition(x.shape == y.shape && weight.shape == [x.shape[-1]])
        let source = gathered(x)
        let gamma = gathered(weight)
        let width = gamma.count
        put(
            stride(from: 0, to: source.count, by: width).flatMap { start in
                zip(source[start..<start + width], gamma).map {
                    activation == .silu ? ($0 * $1).silu : $0 * $1
                }
            }, into: y)
    }

    func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape)
        let (factors, terms) = (gathered(scale), gathered(shift))
        put(
            gathered(x).enumerated().map {
                $1 * factors[$0 % factors.count] + terms[$0 % terms.count]
            }, into: y)
    }

    func copy(_ x: Tensor, into y: Tensor) {
        precondition(x.shape == y.shape)
        put(gathered(x), into: y)
    }

    func permute(_ x: Tensor, axes: [Int], into y: Tensor) {
        precondition(axes.map { x.shape[$0] } == y.shape.dimensions && y.isContiguous)
        let source = elements(x).elements
        var index = 0
        scatter(into: y) {
            var rest = index
            var place = x.offset
            for axis in axes.indices.reversed() {
                place += rest % y.shape[axis] * x.strides[axes[axis]]
                rest /= y.shape[axis]
            }
            index += 1
            return source[place]
        }
    }

    func upsample(_ x: Tensor, into y: Tensor) {
        let source = gathered(x)
        let frames = y.shape[0] / x.shape[0]
        precondition(
            y.shape
                == [x.shape[0] * frames, 2 * x.shape[1], 2 * x.shape[2], x.shape[3] / frames])
        var index = 0
        scatter(into: y) {
            let place = Place(index, y.shape)
            let pixel =
                (place.frame / frames * x.shape[1] + place.row / 2) * x.shape[2]
                + place.column / 2
            index += 1
            return source[
                pixel * x.shape[3] + place.frame % frames * y.shape[3] + place.channel]
        }
    }
}

// MARK: - What these tests do not ask for

extension ExactDevice {
    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws { throw UnsupportedOperation(device: name, operation: "layerNorm") }

    func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws { throw UnsupportedOperation(device: name, operation: "rmsNorm") }

    func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        throw UnsupportedOperation(device: name, operation: "rotate")
    }

    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        throw UnsupportedOperation(device: name, operation: "activate")
    }

    func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws { throw UnsupportedOperation(device: name, operation: "multiply") }

    func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws { throw UnsupportedOperation(device: name, operation: "add") }

    func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        throw UnsupportedOperation(device: name, operation: "quantizePixels")
    }

    func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        throw UnsupportedOperation(device: name, operation: "gather")
    }
}

// MARK: - Elements in order

extension ExactDevice {
    /// The elements in row-major order, whatever the strides.
    private func gathered(_ tensor: Tensor) -> [Residue] {
        let source = elements(tensor).elements
        return places(tensor).map { source[$0] }
    }

    private func put(_ numbers: [Residue], into tensor: Tensor) {
        let target = elements(tensor)
        precondition(numbers.count == tensor.shape.elementCount)
        for (place, number) in zip(places(tensor), numbers) { target.elements[place] = number }
    }

    /// Sets the elements in row-major order to what `next` gives.
    private func scatter(into tensor: Tensor, _ next: () -> Residue) {
        put((0..<tensor.shape.elementCount).map { _ in next() }, into: tensor)
    }

    private func places(_ tensor: Tensor) -> [Int] {
        var places = [tensor.offset]
        for axis in 0..<tensor.shape.rank {
            let (extent, stride) = (tensor.shape[axis], tensor.strides[axis])
            places = places.flatMap { place in (0..<extent).map { place + $0 * stride } }
        }
        return places
    }
}

/// Where the element with this index lies in [frames, height, width, channels].
private struct Place {
    let frame: Int
    let row: Int
    let column: Int
    let channel: Int

    init(_ index: Int, _ shape: Shape) {
        channel = index % shape[3]
        column = index / shape[3] % shape[2]
        row = index / (shape[3] * shape[2]) % shape[1]
        frame = index / (shape[3] * shape[2] * shape[1])
    }
}

/// An integer modulo a prime.
struct Residue: Equatable {
    static let prime: UInt64 = 16_777_213
    static let zero = Residue(value: 0)
    private let value: UInt64

    private init(value: UInt64) { self.value = value }

    init(_ number: Float) {
        let prime = Int64(Self.prime)
        let remainder = Int64((number * 1024).rounded()) % prime
        value = UInt64(remainder < 0 ? remainder + prime : remainder)
    }

    var float: Float { Float(value) }
    var silu: Residue { self + self * self }

    static func + (a: Residue, b: Residue) -> Residue {
        Residue(value: (a.value + b.value) % prime)
    }

    static func * (a: Residue, b: Residue) -> Residue {
        Residue(value: a.value * b.value % prime)
    }
}
