import CLibAV

/// An owned `AVFrame`: a decoded picture, or samples.
final class Frame {
    let pointer: UnsafeMutablePointer<AVFrame>

    /// An empty frame; traps if there is no memory for its header.
    init() {
        guard let pointer = av_frame_alloc() else { preconditionFailure("out of memory") }
        self.pointer = pointer
    }

    deinit {
        var frame: UnsafeMutablePointer<AVFrame>? = pointer
        av_frame_free(&frame)
    }

    /// Rows of a picture.
    var height: Int { Int(pointer.pointee.height) }
    /// Columns of a picture.
    var width: Int { Int(pointer.pointee.width) }
    /// How a picture's samples are laid out.
    var pixelFormat: AVPixelFormat { AVPixelFormat(rawValue: pointer.pointee.format) }

    /// Samples of each channel.
    var sampleCount: Int { Int(pointer.pointee.nb_samples) }
    /// Channels of sound.
    var channelCount: Int { Int(pointer.pointee.ch_layout.nb_channels) }
    /// How sound is laid out.
    var sampleFormat: AVSampleFormat { AVSampleFormat(rawValue: pointer.pointee.format) }

    /// The start of a plane; traps if the frame has no such plane.
    func plane(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        guard let plane = pointer.pointee.extended_data[index] else {
            preconditionFailure("the frame has no plane \(index)")
        }
        return plane
    }

    /// Bytes from one row of a picture's plane to the next.
    func stride(_ index: Int) -> Int {
        withUnsafeBytes(of: pointer.pointee.linesize) {
            Int($0.assumingMemoryBound(to: Int32.self)[index])
        }
    }

    /// Gives the frame writable memory for the format and size set in it. Throws `MediaError`.
    func allocate(_ action: String, _ path: String) throws(MediaError) {
        try LibAV.check(av_frame_get_buffer(pointer, 0), action, path)
    }
}
