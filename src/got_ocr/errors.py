"""Every error a user can meet. Each class carries one code, one exit status and one HTTP status for all surfaces.

    GotOcrError                internal               exit 1   500
    +- UsageError              invalid_request        exit 2   422
    |  +- InvalidValue         invalid_value          exit 2   400
    +- InputError              (image and PDF codes)  exit 4
    |  +- UnsupportedImageFormat / ImageTooManyPixels / ImageTooSmall / ImageTruncated / ImageCorrupt / ImageDecodeFailed
    |  +- PdfCorrupt / TooManyPages / PageRenderFailed / TooManyImages / InputNotFound / InputChanged / BodyTooLarge
    |  +- RenderFailed         render_failed          exit 4   422
    |  +- PdfEncrypted         pdf_encrypted          exit 8   422
    +- OutputError             output_failed          exit 5   500
    |  +- OutputRefused        output_refused         exit 5   500
    +- MissingDependency       missing_dependency     exit 6   500
    +- ChildCrashed            worker_crash           exit 7   502
    +- ModelError              invalid_model          exit 9   500
    |  +- ModelNotFound / UnsafeWeights / InvalidWeights
    +- RemoteError             remote_error           exit 10  502
    +- DeadlineExceeded        deadline               exit 11  504
    +- NumericError            internal_numeric       exit 1   500
    +- OutOfMemory             out_of_memory          exit 1   503

Messages say what was wrong, what was expected and what to do, in our own words: a library's message is never forwarded,
since it may carry addresses, paths or content.
"""

from typing import ClassVar


class GotOcrError(Exception):
    """Report a failure of this package; `str(error)` is fit to be shown to a user."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False


class UsageError(GotOcrError):
    """Report a request that cannot be understood."""

    code = "invalid_request"
    exit_code = 2
    http_status = 422


class InvalidValue(UsageError):
    """Report an argument out of its range."""

    code = "invalid_value"
    http_status = 400


class InputError(GotOcrError):
    """Report an input file that cannot be read."""

    code = "input_failed"
    exit_code = 4
    http_status = 422


class InputNotFound(InputError):
    """Report a source that does not exist or is not a regular file."""

    code = "input_not_found"
    http_status = 404


class InputChanged(InputError):
    """Report a file that changes while it is read."""

    code = "input_changed"


class BodyTooLarge(InputError):
    """Report a file or a request over the limit of bytes."""

    code = "body_too_large"
    http_status = 413


class UnsupportedImageFormat(InputError):
    """Report bytes of a format that is not on the allow-list."""

    code = "unsupported_image_format"
    http_status = 415


class ImageTooManyPixels(InputError):
    """Report a picture over the pixel or side limit, found from its header alone."""

    code = "image_too_many_pixels"
    http_status = 413


class ImageTooSmall(InputError):
    """Report a picture below the least size."""

    code = "image_too_small"


class ImageTruncated(InputError):
    """Report a picture whose bytes end early."""

    code = "image_truncated"


class ImageCorrupt(InputError):
    """Report a picture whose bytes are broken."""

    code = "image_corrupt"


class ImageDecodeFailed(InputError):
    """Report a picture whose decoding ran over its time or memory."""

    code = "image_decode_failed"


class TooManyImages(InputError):
    """Report more pictures than one request may carry."""

    code = "too_many_images"
    http_status = 413


class PdfCorrupt(InputError):
    """Report bytes that are no readable PDF."""

    code = "pdf_corrupt"


class PdfEncrypted(InputError):
    """Report a PDF that needs a password."""

    code = "pdf_encrypted"
    exit_code = 8


class TooManyPages(InputError):
    """Report a document with more pages than allowed."""

    code = "too_many_pages"
    http_status = 413


class PageRenderFailed(InputError):
    """Report one page that could not be drawn."""

    code = "page_render_failed"


class RenderFailed(InputError):
    """Report a text that is not of its kind or is too large to be drawn."""

    code = "render_failed"


class OutputError(GotOcrError):
    """Report an output that cannot be written."""

    code = "output_failed"
    exit_code = 5


class OutputRefused(OutputError):
    """Report one output that cannot be written although the disk takes others."""

    code = "output_refused"


class MissingDependency(GotOcrError):
    """Report an optional package or program that is absent; the message says how to install it."""

    code = "missing_dependency"
    exit_code = 6


class ChildCrashed(GotOcrError):
    """Report a worker process that died."""

    code = "worker_crash"
    exit_code = 7
    http_status = 502
    retryable = True


class ModelError(GotOcrError):
    """Report a model folder or configuration that cannot be used."""

    code = "invalid_model"
    exit_code = 9


class ModelNotFound(ModelError):
    """Report a model name or folder that does not exist."""

    code = "model_not_found"
    http_status = 404


class UnsafeWeights(ModelError):
    """Report weights that exist only as pickles, which are never opened."""

    code = "unsafe_weights"


class InvalidWeights(ModelError):
    """Report tensors that are missing, unexpected, of a wrong shape or not finite; the message names them."""

    code = "invalid_weights"


class RemoteError(GotOcrError):
    """Report a server that could not be reached or refused."""

    code = "remote_error"
    exit_code = 10
    http_status = 502
    retryable = True


class DeadlineExceeded(GotOcrError):
    """Report work that ran over its time."""

    code = "deadline"
    exit_code = 11
    http_status = 504


class NumericError(GotOcrError):
    """Report logits that are not finite."""

    code = "internal_numeric"


class OutOfMemory(GotOcrError):
    """Report work that needs more memory than there is."""

    code = "out_of_memory"
    http_status = 503
    retryable = True
