import Tensors

/// What a pickle of weights is made of. No other kind of object can be built.
package enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case tuple(PickleTuple)
    case dictionary(PickleDictionary)
    case global(PickleGlobal)
    case storage(PickledStorage)
    case tensor(PickledTensor)

    /// What the value is, for messages.
    package var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a bool"
        case .integer: "an int"
        case .number: "a float"
        case .string: "a str"
        case .tuple: "a tuple"
        case .dictionary: "a dict"
        case .global(let global): "the class or function '\(global.name)'"
        case .storage: "a storage"
        case .tensor: "a tensor"
        }
    }

    /// How many containers are nested in the value, itself included.
    var depth: Int {
        switch self {
        case .tuple(let tuple): tuple.depth
        case .dictionary(let dictionary): dictionary.depth
        default: 0
        }
    }

    /// The elements if the value is a tuple of integers.
    var integers: [Int]? {
        guard case .tuple(let tuple) = self else { return nil }
        var integers: [Int] = []
        for case .integer(let integer) in tuple.elements { integers.append(integer) }
        return integers.count == tuple.elements.count ? integers : nil
    }
}

/// A tuple.
package final class PickleTuple {
    let elements: [PickleValue]
    let depth: Int

    init(_ elements: [PickleValue]) {
        self.elements = elements
        depth = 1 + (elements.map(\.depth).max() ?? 0)
    }
}

/// A `dict` or an `OrderedDict` with strings for keys, in order of insertion.
///
/// It cannot change once it lies in another container, so that no value ever contains itself.
package final class PickleDictionary {
    package private(set) var keys: [String] = []
    private var values: [String: PickleValue] = [:]
    private(set) var depth = 1
    var isFrozen = false

    package init() {}

    package subscript(key: String) -> PickleValue? { values[key] }

    /// Inserts a value; false if there is one for this key.
    func insert(_ value: PickleValue, for key: String) -> Bool {
        guard values.updateValue(value, forKey: key) == nil else { return false }
        keys.append(key)
        depth = max(depth, 1 + value.depth)
        return true
    }
}

/// A place in one of an archive's storages.
package final class PickledStorage {
    /// The type of the elements.
    package let dataType: DataType
    /// The name of the storage's entry under `data/`.
    package let key: String
    /// Number of elements.
    package let count: Int

    init(dataType: DataType, key: String, count: Int) {
        self.dataType = dataType
        self.key = key
        self.count = count
    }
}

/// A tensor over a storage, as the arguments of `_rebuild_tensor_v2` describe it; not yet checked
/// against the storage.
package final class PickledTensor {
    package let storage: PickledStorage
    /// Index of the first element in the storage.
    package let offset: Int
    package let sizes: [Int]
    /// Elements between neighbours, per axis.
    package let strides: [Int]

    init(storage: PickledStorage, offset: Int, sizes: [Int], strides: [Int]) {
        self.storage = storage
        self.offset = offset
        self.sizes = sizes
        self.strides = strides
    }
}

/// The classes and functions that a pickle of weights may name. Naming any other is refused.
package enum PickleGlobal: Hashable, Sendable {
    case orderedDict
    case rebuildTensor
    case rebuildParameter
    case storage(DataType)

    /// Looks a name up; nil for everything that weights do not need.
    init?(module: String, name: String) {
        let known = Self.all.first { $0.name == "\(module).\(name)" }
        guard let known else { return nil }
        self = known
    }

    /// The full name in Python.
    package var name: String {
        switch self {
        case .orderedDict: "collections.OrderedDict"
        case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
        case .rebuildParameter: "torch._utils._rebuild_parameter"
        case .storage(let dataType): "torch.\(Self.storageNames[dataType] ?? "?")Storage"
        }
    }

    private static let all =
        [.orderedDict, .rebuildTensor, .rebuildParameter] + storageNames.keys.map(Self.storage)

    private static let storageNames: [DataType: String] = [
        .float64: "Double", .float32: "Float", .float16: "Half", .bfloat16: "BFloat16",
        .int64: "Long", .int32: "Int", .int16: "Short", .int8: "Char", .uint8: "Byte",
        .bool: "Bool",
    ]
}
