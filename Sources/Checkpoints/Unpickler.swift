import Tensors

/// Runs the small part of the pickle machine that describes tensors, and nothing else.
///
/// A pickle is a program. Here it can build dictionaries, tuples, numbers, strings and tensors over
/// an archive's storages; every instruction or name beyond that ends the reading. Budgets bound the
/// memory that any pickle can make this use, and the depth of what it builds.
package struct Unpickler {
    /// Why a pickle is not accepted, and at which byte.
    package struct Refusal: Error {
        package let reason: String
        package let offset: Int
    }

    /// Longest pickle that is read: thousands of tensors; the real model's largest has 60 kB.
    package static let lengthLimit = 4 << 20
    private static let stackLimit = 1 << 16
    private static let memoLimit = 1 << 18
    private static let depthLimit = 16
    private static let nameLimit = 256

    private var cursor: ByteCursor
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    /// Containers and elements that may still be made.
    private var budget = 1 << 19

    /// Reads the one value of a pickle; throws `Refusal`.
    package static func value(of pickle: UnsafeRawBufferPointer) throws(Refusal) -> PickleValue {
        var unpickler = Unpickler(cursor: ByteCursor(pickle))
        do {
            return try unpickler.run()
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(reason: "the pickle is truncated", offset: unpickler.cursor.offset)
        }
    }

    private init(cursor: ByteCursor) { self.cursor = cursor }

    private mutating func run() throws -> PickleValue {
        guard cursor.remaining <= Self.lengthLimit else {
            throw refusal("the pickle has \(cursor.remaining) bytes, \(Self.lengthLimit) are read")
        }
        guard try cursor.read(UInt8.self) == PickleOpcode.proto.rawValue else {
            throw refusal("this is no pickle of protocol 2 or later")
        }
        try checkProtocol()
        while true {
            let code = try cursor.read(UInt8.self)
            guard let opcode = PickleOpcode(rawValue: code) else { throw try refused(code) }
            if opcode == .stop { return try finish() }
            try execute(opcode)
        }
    }

    private mutating func finish() throws -> PickleValue {
        guard stack.count == 1, marks.isEmpty, let value = stack.last else {
            throw refusal("the pickle ends with \(stack.count) values, expected one")
        }
        guard cursor.remaining == 0 else {
            throw refusal("\(cursor.remaining) bytes follow the pickle")
        }
        return value
    }

    private mutating func execute(_ opcode: PickleOpcode) throws {
        switch opcode {
        case .proto: try checkProtocol()
        case .frame: try checkFrame()
        case .stop: break
        case .none: try push(.none)
        case .newTrue: try push(.bool(true))
        case .newFalse: try push(.bool(false))
        case .binInt: try push(.integer(Int(try cursor.read(Int32.self))))
        case .binInt1: try push(.integer(Int(try cursor.read(UInt8.self))))
        case .binInt2: try push(.integer(Int(try cursor.read(UInt16.self))))
        case .long1: try pushLong(UInt64(try cursor.read(UInt8.self)))
        case .long4: try pushLong(UInt64(try cursor.read(UInt32.self)))
        case .binFloat:
            try push(.number(Double(bitPattern: UInt64(bigEndian: try cursor.read()))))
        case .binUnicode: try pushString(UInt64(try cursor.read(UInt32.self)))
        case .shortBinUnicode: try pushString(UInt64(try cursor.read(UInt8.self)))
        case .binUnicode8: try pushString(try cursor.read(UInt64.self))
        case .mark: try mark()
        case .emptyTuple: try pushTuple([])
        case .tuple: try pushTuple(try popToMark())
        case .tuple1: try pushTuple(try pop(1))
        case .tuple2: try pushTuple(try pop(2))
        case .tuple3: try pushTuple(try pop(3))
        case .emptyDict: try pushDictionary()
        case .setItem: try setItems(try pop(2))
        case .setItems: try setItems(try popToMark())
        case .binPut: try memoize(as: UInt32(try cursor.read(UInt8.self)))
        case .longBinPut: try memoize(as: try cursor.read())
        case .memoize: try memoize(as: UInt32(memo.count))
        case .binGet: try recall(UInt32(try cursor.read(UInt8.self)))
        case .longBinGet: try recall(try cursor.read())
        case .global: try pushGlobal(module: try line(), name: try line())
        case .stackGlobal: try pushStackGlobal()
        case .reduce: try reduce()
        case .build: try build()
        case .binPersID: try pushStorage()
        }
    }

    /// An error at the present byte.
    private func refusal(_ reason: String) -> Refusal {
        Refusal(reason: reason, offset: cursor.offset)
    }

    /// An error about an instruction that weights do not need, with the name of what it calls.
    private mutating func refused(_ code: UInt8) throws -> Refusal {
        let name = PickleOpcode.nameOfRefused(code)
        guard name == "INST" else {
            return refusal("the pickle uses \(name), which no file of weights needs")
        }
        return refusedGlobal(module: try line(), name: try line())
    }

    private func refusedGlobal(module: String, name: String) -> Refusal {
        refusal(
            "the pickle calls for '\(printable(module)).\(printable(name))', which no file of weights needs"
        )
    }
}

// MARK: Stack, memo and plain values

extension Unpickler {
    private mutating func push(_ value: PickleValue) throws {
        guard stack.count < Self.stackLimit else { throw refusal("the pickle's stack is too high") }
        stack.append(value)
    }

    private mutating func mark() throws {
        guard marks.count < Self.depthLimit else { throw refusal("the pickle has too many marks") }
        marks.append(stack.count)
    }

    /// Takes `count` values, none from below the last mark.
    private mutating func pop(_ count: Int) throws -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw refusal("the pickle takes more values than it made")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw refusal("the pickle lacks a mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func top() throws -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw refusal("the pickle takes more values than it made")
        }
        return value
    }

    private mutating func spend(_ count: Int) throws {
        budget -= count
        guard budget >= 0 else {
            throw refusal("the pickle makes more objects than a file of weights needs")
        }
    }

    private mutating func memoize(as index: UInt32) throws {
        guard memo.count < Self.memoLimit else { throw refusal("the pickle's memo is too large") }
        memo[index] = try top()
    }

    private mutating func recall(_ index: UInt32) throws {
        guard let value = memo[index] else { throw refusal("the pickle recalls what it never had") }
        try push(value)
    }

    private mutating func checkProtocol() throws {
        let version = try cursor.read(UInt8.self)
        guard (2...5).contains(version) else {
            throw refusal("the pickle has protocol \(version), 2 to 5 are read")
        }
    }

    private mutating func checkFrame() throws {
        let length = try cursor.read(UInt64.self)
        guard length <= UInt64(cursor.remaining) else {
            throw refusal("a frame has \(length) bytes, \(cursor.remaining) are left")
        }
    }

    /// Pushes a two's complement integer of `count` bytes.
    private mutating func pushLong(_ count: UInt64) throws {
        guard count <= 8 else { throw refusal("an integer has \(count) bytes") }
        let bytes = try cursor.take(Int(count))
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        let value = bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
        try push(.integer(value))
    }

    private mutating func pushString(_ count: UInt64) throws {
        guard count <= UInt64(cursor.remaining) else { throw ByteCursor.Truncated() }
        guard let string = try cursor.text(Int(count)) else {
            throw refusal("a string is not UTF-8")
        }
        try push(.string(string))
    }

    private mutating func pushTuple(_ elements: [PickleValue]) throws {
        try spend(1 + elements.count)
        freeze(elements)
        let tuple = PickleTuple(elements)
        guard tuple.depth <= Self.depthLimit else { throw refusal("tuples are nested too deeply") }
        try push(.tuple(tuple))
    }

    private func freeze(_ values: [PickleValue]) {
        for case .dictionary(let dictionary) in values { dictionary.isFrozen = true }
    }
}

// MARK: Dictionaries, names and tensors

extension Unpickler {
    private mutating func pushDictionary() throws {
        try spend(1)
        try push(.dictionary(PickleDictionary()))
    }

    /// Puts alternating keys and values into the dictionary below them.
    private mutating func setItems(_ items: [PickleValue]) throws {
        guard case .dictionary(let dictionary) = try top(), !dictionary.isFrozen else {
            throw refusal("the pickle fills something that is no dict, or a finished one")
        }
        guard items.count.isMultiple(of: 2) else { throw refusal("a dict has a key too many") }
        try spend(items.count)
        for index in stride(from: 0, to: items.count, by: 2) {
            guard case .string(let key) = items[index] else {
                throw refusal("a dict has \(items[index].kind) as a key, expected a str")
            }
            freeze([items[index + 1]])
            guard dictionary.insert(items[index + 1], for: key) else {
                throw refusal("two values are named '\(printable(key))'")
            }
        }
        guard !dictionary.isFrozen, dictionary.depth <= Self.depthLimit else {
            throw refusal("dicts are nested too deeply, or in themselves")
        }
    }

    /// Reads text up to the end of the line.
    private mutating func line() throws -> String {
        let start = cursor
        var count = 0
        while try cursor.read(UInt8.self) != UInt8(ascii: "\n") {
            count += 1
            guard count <= Self.nameLimit else { throw refusal("a name is too long") }
        }
        var text = start
        guard let line = try text.text(count) else { throw refusal("a name is not UTF-8") }
        return line
    }

    private mutating func pushGlobal(module: String, name: String) throws {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw refusedGlobal(module: module, name: name)
        }
        try push(.global(global))
    }

    private mutating func pushStackGlobal() throws {
        let operands = try pop(2)
        guard case .string(let module) = operands[0], case .string(let name) = operands[1] else {
            throw refusal("the pickle names something by \(operands[1].kind)")
        }
        try pushGlobal(module: module, name: name)
    }

    /// Calls one of the few functions that there are.
    private mutating func reduce() throws {
        let operands = try pop(2)
        guard case .global(let function) = operands[0], case .tuple(let arguments) = operands[1]
        else { throw refusal("the pickle calls \(operands[0].kind), which cannot be called so") }
        switch function {
        case .orderedDict:
            guard arguments.elements.isEmpty else {
                throw refusal("an OrderedDict is made from \(arguments.elements.count) arguments")
            }
            try pushDictionary()
        case .rebuildTensor:
            try spend(1)
            try push(.tensor(try tensor(from: arguments.elements)))
        case .rebuildParameter:
            guard case .tensor? = arguments.elements.first else {
                throw refusal("a parameter is made from no tensor")
            }
            try push(arguments.elements[0])
        case .storage:
            throw refusal("the pickle calls '\(function.name)', which is not a function here")
        }
    }

    /// `(storage, offset, size, stride, requires_grad, hooks)`, and possibly metadata behind.
    private func tensor(from arguments: [PickleValue]) throws -> PickledTensor {
        guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], let sizes = arguments[2].integers,
            let strides = arguments[3].integers
        else { throw refusal("a tensor is made from unexpected arguments") }
        return PickledTensor(storage: storage, offset: offset, sizes: sizes, strides: strides)
    }

    /// Sets attributes of the object below: only a state dict's `_metadata`, which is dropped.
    private mutating func build() throws {
        let operands = try pop(1)
        guard case .dictionary(let state) = operands[0], state.keys == ["_metadata"],
            case .dictionary = try top()
        else { throw refusal("the pickle sets attributes other than a dict's '_metadata'") }
    }

    /// `('storage', class, key, location, count)`.
    private mutating func pushStorage() throws {
        guard case .tuple(let tuple) = try pop(1)[0], tuple.elements.count == 5,
            case .string("storage") = tuple.elements[0],
            case .global(.storage(let dataType)) = tuple.elements[1],
            case .string(let key) = tuple.elements[2], case .string = tuple.elements[3],
            case .integer(let count) = tuple.elements[4], count >= 0
        else { throw refusal("a storage is named in an unexpected way") }
        try spend(1)
        try push(.storage(PickledStorage(dataType: dataType, key: key, count: count)))
    }
}
