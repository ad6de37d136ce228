"""What the checks of image quality, integrity and size share."""
