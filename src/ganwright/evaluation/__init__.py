"""Real records beside generated ones: gathering, measuring, telling."""
