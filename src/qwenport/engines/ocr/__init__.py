"""Engine kind `ocr`: reads the text of images on this machine, with PP-OCRv6 in worker processes."""
