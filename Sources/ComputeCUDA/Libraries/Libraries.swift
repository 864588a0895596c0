import Compute
import Tensors

/// NVIDIA's libraries as one device uses them, each opened when it is first needed.
final class Libraries {
    private var products: MatrixProducts?
    private var cuDNN: Result<CUDNN, any Error>?
    private var copies: [ObjectIdentifier: BiasCopy] = [:]

    /// What a card of that architecture does with the libraries that are there, none of which is set up for that. Those that are
    /// missing are told of when they are needed.
    static func abilities(architecture: Int) -> CardAbilities {
        var abilities = CardAbilities(architecture: architecture)
        abilities.knowsRowScales =
            (CUBLASLt.installedVersion ?? .max) >= CUBLASLt.firstWithRowScales
        abilities.attendsByLibrary = (CUDNN.installedVersion ?? 0) >= AttentionPlan.firstVersion
        return abilities
    }

    /// Matrix products, if they were needed.
    var openProducts: MatrixProducts? { products }
    /// cuDNN, if it was needed and found.
    var openCUDNN: CUDNN? { try? cuDNN?.get() }

    /// Matrix products; throws `MissingLibrary` without cuBLASLt.
    func matrixProducts(for device: CUDADevice) throws -> MatrixProducts {
        if let products { return products }
        let products = try MatrixProducts(
            library: CUBLASLt(), abilities: device.abilities)
        self.products = products
        return products
    }

    /// cuDNN; throws `MissingLibrary` without it, each time anew.
    func cuDNN(for device: CUDADevice) throws -> CUDNN {
        if let cuDNN { return try cuDNN.get() }
        let result = Result { try CUDNN(device.context, stream: device.stream) }
        cuDNN = result
        return try result.get()
    }
}

// MARK: - Biases

/// A parameter's copy in another type, for as long as the parameter lives.
private struct BiasCopy {
    weak var source: (any Storage)?
    let offset: Int
    let copy: Tensor
}

extension Libraries {
    /// The elements of a bias [n] in the type of the product they are added to, as the libraries want them.
    ///
    /// A bias does not change while it lives, so that one conversion serves all calls.
    func bias(_ bias: Tensor, as dataType: DataType, on device: CUDADevice) throws -> Tensor {
        let isAligned = bias.address % UInt64(MatrixProduct.Operand.widestAccess) == 0
        if bias.dataType == dataType && isAligned { return bias }
        // A part of memory that is lent to one layer after another is another bias each time.
        guard bias.storage.byteCount == bias.byteCount else {
            return try device.cast(bias, to: dataType)
        }
        let key = ObjectIdentifier(bias.storage)
        if let known = copies[key], known.source === bias.storage, known.offset == bias.offset,
            known.copy.dataType == dataType, known.copy.shape == bias.shape
        {
            return known.copy
        }
        let copy = try device.holding(.long) { try device.cast(bias, to: dataType) }
        copies = copies.filter { $0.value.source != nil }
        copies[key] = BiasCopy(source: bias.storage, offset: bias.offset, copy: copy)
        return copy
    }
}
